-- +goose Up
-- What one hash of a set costs: the settings may change after it was made.
ALTER TABLE recovery_sets ADD COLUMN memory_kib INTEGER NOT NULL DEFAULT 19456;
ALTER TABLE recovery_sets ADD COLUMN passes INTEGER NOT NULL DEFAULT 2;
