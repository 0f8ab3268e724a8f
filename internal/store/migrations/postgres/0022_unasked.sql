-- +goose Up
-- Nothing asks who was added when, nor who has codes alone. This is a step of its own:
-- it has no lock that others wait for while it waits for them.
DROP INDEX users_created, users_protected;
