-- +goose Up
-- Nothing asks who was added when.
DROP INDEX users_created;
