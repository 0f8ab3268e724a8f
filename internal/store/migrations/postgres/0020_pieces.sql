-- +goose Up
-- People are found by pieces of three letters as on SQLite, and by what pieces begin
-- with, which extensions do not have: all in one index, without any of them. What is
-- searched has an address once where both of its forms are the same.
CREATE FUNCTION searched(canonical TEXT, address TEXT, name TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT folded(canonical || CASE WHEN address = canonical THEN '' ELSE ' ' || address END || ' ' || name)
$$;
-- The pieces that begin at each letter, those at the end shorter: every third one by
-- each expression. What it costs keeps a plan from making them of every row, and its
-- language from taking it apart; it is not for parallel plans, whose start takes longer
-- than a search.
-- +goose StatementBegin
CREATE FUNCTION pieces(searched TEXT) RETURNS TSVECTOR LANGUAGE plpgsql IMMUTABLE COST 1000 AS $$
BEGIN
    RETURN array_to_tsvector(array_remove(string_to_array(
        regexp_replace(searched, '.{1,3}', E'\\&\x01', 'g') ||
        regexp_replace(SUBSTR(searched, 2), '.{1,3}', E'\\&\x01', 'g') ||
        regexp_replace(SUBSTR(searched, 3), '.{1,3}', E'\\&\x01', 'g'), E'\x01'), ''));
END $$;
-- +goose StatementEnd
-- All whole pieces of a text; what is shorter than one is the beginning of one.
CREATE FUNCTION sought(folded TEXT) RETURNS TSQUERY LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CAST(STRING_AGG('''' || REPLACE(REPLACE(SUBSTR(folded, n, 3), '\', '\\'), '''', '''''') || '''' ||
                           CASE WHEN LENGTH(folded) < 3 THEN ':*' ELSE '' END, ' & ') AS TSQUERY)
      FROM GENERATE_SERIES(1, GREATEST(LENGTH(folded) - 2, 1)) AS n
$$;

-- Accounts are changed meanwhile, and searched as before: the next step takes this
-- table for the other. By then whoever changes an account writes what it holds.
CREATE TABLE search_texts (
    user_id  TEXT NOT NULL,
    searched TEXT COLLATE "C" NOT NULL
);
INSERT INTO search_texts (user_id, searched) SELECT id, searched(canonical, address, name) FROM users;
CREATE INDEX search_texts_pieces ON search_texts USING gin (pieces(searched));
ALTER TABLE search_texts ADD PRIMARY KEY (user_id);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_person() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_people WHERE user_id = OLD.id;
    ELSE
        INSERT INTO search_people (user_id, searched) VALUES (NEW.id, searched(NEW.canonical, NEW.address, NEW.name))
        ON CONFLICT (user_id) DO UPDATE SET searched = EXCLUDED.searched;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
