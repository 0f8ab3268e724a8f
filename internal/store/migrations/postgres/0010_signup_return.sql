-- +goose Up
-- Where whoever signs up was going: an application, that waits for them.
ALTER TABLE signups ADD COLUMN return_to TEXT NOT NULL DEFAULT '';
