-- +goose Up
-- What the overview counts: sessions that nobody ended, letters that failed.
CREATE INDEX sessions_open ON sessions (began_at) WHERE ended_at = 0;
CREATE INDEX letters_failed ON letters (next_at, done_at) WHERE failure <> '';
-- Whoever was invited and has no password yet.
CREATE INDEX users_invited ON users (canonical) WHERE password_hash = '' AND state = 'active';
