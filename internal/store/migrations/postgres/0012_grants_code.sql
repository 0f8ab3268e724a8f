-- +goose Up
-- Whether a grant's session has given a code: where it began while nobody was
-- asked for one, it opens nothing once its person is asked again.
ALTER TABLE grants ADD COLUMN code_given BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE grants SET code_given = TRUE
 WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.id = grants.session_id AND s.code_at > 0);
