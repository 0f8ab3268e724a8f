-- +goose Up
-- How an application signs its people in, and whether it demands two-factor
-- authentication of them. What stood in the list so far was a link.
ALTER TABLE applications ADD COLUMN kind TEXT NOT NULL DEFAULT 'link';
ALTER TABLE applications ADD COLUMN require_two_factor BOOLEAN NOT NULL DEFAULT FALSE;
