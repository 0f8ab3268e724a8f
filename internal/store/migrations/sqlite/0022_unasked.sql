-- +goose Up
-- Nothing asks who was added when, nor who has codes alone.
DROP INDEX users_created;
DROP INDEX users_protected;
