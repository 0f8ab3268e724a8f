-- +goose Up
-- What the clock was at the last purge, and since when it has gone on without a
-- leap: a clock that leapt removes nothing at once.
ALTER TABLE clock ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clock ADD COLUMN steady_since BIGINT NOT NULL DEFAULT 0;
