-- +goose Up
-- What people are searched by: the pieces of three letters that their address and
-- name are made of. Triggers keep them in step, so that no statement forgets them;
-- the functions pieces and searched are the program's own.
CREATE TABLE search_people (
    number  INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL
);
CREATE VIRTUAL TABLE search_pieces USING fts5(pieces, content='', contentless_delete=1, detail=none, tokenize='ascii');

INSERT INTO search_people (number, user_id) SELECT rowid, id FROM users ORDER BY rowid;
INSERT INTO search_pieces (rowid, pieces) SELECT rowid, pieces(searched(canonical, address, name)) FROM users ORDER BY rowid;
CREATE UNIQUE INDEX search_people_user ON search_people (user_id);

-- +goose StatementBegin
CREATE TRIGGER users_search_added AFTER INSERT ON users BEGIN
    INSERT INTO search_people (user_id) VALUES (NEW.id);
    INSERT INTO search_pieces (rowid, pieces) VALUES (last_insert_rowid(), pieces(searched(NEW.canonical, NEW.address, NEW.name)));
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_search_changed AFTER UPDATE OF canonical, address, name ON users BEGIN
    UPDATE search_pieces SET pieces = pieces(searched(NEW.canonical, NEW.address, NEW.name))
     WHERE rowid = (SELECT number FROM search_people WHERE user_id = NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_search_deleted AFTER DELETE ON users BEGIN
    DELETE FROM search_pieces WHERE rowid = (SELECT number FROM search_people WHERE user_id = OLD.id);
    DELETE FROM search_people WHERE user_id = OLD.id;
END;
-- +goose StatementEnd

-- Few doors are closed.
CREATE INDEX throttle_closed ON throttle (user_id) WHERE closed_at > 0;
