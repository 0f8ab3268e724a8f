-- +goose Up
-- Several authenticators, each with a name.
ALTER TABLE authenticators ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Passkeys. What they sign in to is sealed with whose they are, so that nobody who
-- can only write the database can put a key of their own into an account.
CREATE TABLE passkeys (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BYTEA NOT NULL UNIQUE,
    sealed_key    BYTEA NOT NULL,
    domain        TEXT NOT NULL,    -- that it was made for
    name          TEXT NOT NULL,
    sign_count    BIGINT NOT NULL,
    synced        BOOLEAN NOT NULL, -- as it said when it was last used
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL   -- 0: never
);
CREATE INDEX passkeys_user ON passkeys (user_id);
CREATE INDEX passkeys_domain ON passkeys (domain);

-- Challenges that were answered. A begun ceremony is in no table: it travels in its
-- page.
CREATE TABLE ceremonies (
    challenge_hash BYTEA PRIMARY KEY,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX ceremonies_expires ON ceremonies (expires_at);

ALTER TABLE users ADD COLUMN passkeys_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN passkey_handle BYTEA; -- what authenticators know the person by; NULL: nothing yet
ALTER TABLE users ADD COLUMN passkey_offered_at BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX users_passkey_handle ON users (passkey_handle) WHERE passkey_handle IS NOT NULL;
CREATE INDEX users_with_passkeys ON users (id) WHERE passkeys_since > 0;

-- What stood in the password's and in the code's place.
ALTER TABLE attempts ADD COLUMN password_by TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN password_by TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN code_by TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN password_by TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN code_by TEXT NOT NULL DEFAULT '';
