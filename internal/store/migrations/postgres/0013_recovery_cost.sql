-- +goose Up
-- What one hash of a set costs: the settings may change after it was made.
ALTER TABLE recovery_sets ADD COLUMN memory_kib BIGINT NOT NULL DEFAULT 19456;
ALTER TABLE recovery_sets ADD COLUMN passes BIGINT NOT NULL DEFAULT 2;
