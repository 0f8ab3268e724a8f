-- +goose Up
-- When failures closed a door, and whose it is: NULL while nobody has the
-- address. There is no foreign key: closing a door must not wait for whoever
-- is changing the account.
ALTER TABLE throttle ADD COLUMN closed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE throttle ADD COLUMN user_id TEXT;
CREATE INDEX throttle_user ON throttle (user_id);
