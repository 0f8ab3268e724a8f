-- +goose Up
-- From here on nobody can change an account or search for one, until the end of the
-- step. It waits for no other table that they use, and so for nobody who waits for it.
LOCK TABLE search_people IN ACCESS EXCLUSIVE MODE;

-- Accounts that were changed since they were copied.
DELETE FROM search_texts p WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = p.user_id);
INSERT INTO search_texts (user_id, searched)
SELECT u.id, searched(u.canonical, u.address, u.name) FROM users u LEFT JOIN search_texts p ON p.user_id = u.id
 WHERE p.searched IS DISTINCT FROM searched(u.canonical, u.address, u.name)
ON CONFLICT (user_id) DO UPDATE SET searched = EXCLUDED.searched;

-- Older servers beside this one know it by its name.
DROP TABLE search_people;
ALTER TABLE search_texts RENAME TO search_people;
ALTER INDEX search_texts_pkey RENAME TO search_people_pkey;
ALTER INDEX search_texts_pieces RENAME TO search_people_pieces;
