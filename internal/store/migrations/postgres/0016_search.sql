-- +goose Up
-- PostgreSQL has capitals of all scripts from ICU, from itself since version 17, or
-- from the system, each only if it was built so; where it has none the database's
-- own have to do.
-- +goose StatementBegin
DO $$
DECLARE
    chosen TEXT := (
        SELECT ' COLLATE pg_catalog.' || quote_ident(collname) FROM pg_collation
         WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('und-x-icu', 'pg_c_utf8', 'C.utf8')
           AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
         ORDER BY CASE collname WHEN 'und-x-icu' THEN 1 WHEN 'pg_c_utf8' THEN 2 ELSE 3 END LIMIT 1);
BEGIN
    EXECUTE 'CREATE FUNCTION folded(TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS ' || quote_literal('SELECT UPPER($1' || COALESCE(chosen, '') || ')');
END $$;
-- +goose StatementEnd

-- What people are searched by, in a table of few bytes a row.
CREATE TABLE search_people (
    user_id  TEXT PRIMARY KEY,
    searched TEXT COLLATE "C" NOT NULL
);
INSERT INTO search_people (user_id, searched) SELECT id, folded(canonical || ' ' || address || ' ' || name) FROM users;

-- A trigger keeps it in step, whichever version of the program writes. Only from
-- here on nobody can change an account, until the end of the step.
-- +goose StatementBegin
CREATE FUNCTION search_person() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_people WHERE user_id = OLD.id;
    ELSE
        INSERT INTO search_people (user_id, searched) VALUES (NEW.id, folded(NEW.canonical || ' ' || NEW.address || ' ' || NEW.name))
        ON CONFLICT (user_id) DO UPDATE SET searched = EXCLUDED.searched;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_search AFTER INSERT OR DELETE OR UPDATE OF canonical, address, name ON users FOR EACH ROW EXECUTE FUNCTION search_person();

-- Accounts that were changed meanwhile.
DELETE FROM search_people p WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = p.user_id);
INSERT INTO search_people (user_id, searched)
SELECT u.id, folded(u.canonical || ' ' || u.address || ' ' || u.name) FROM users u LEFT JOIN search_people p ON p.user_id = u.id
 WHERE p.searched IS DISTINCT FROM folded(u.canonical || ' ' || u.address || ' ' || u.name)
ON CONFLICT (user_id) DO UPDATE SET searched = EXCLUDED.searched;

-- The list of people, and whoever has an address that begins in some way.
CREATE INDEX users_listed ON users (canonical COLLATE "C");
-- Few doors are closed.
CREATE INDEX throttle_closed ON throttle (user_id) WHERE closed_at > 0;
