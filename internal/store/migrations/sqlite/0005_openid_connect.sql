-- +goose Up
-- How an application speaks OpenID Connect. Its client_id is its own id; the
-- secret is kept as its hash, and NULL where the client is public.
CREATE TABLE clients (
    application_id  TEXT PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    secret_hash     BLOB,
    public          BOOLEAN NOT NULL,
    without_pkce    BOOLEAN NOT NULL,
    without_consent BOOLEAN NOT NULL,
    algorithm       TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    logout_notice   TEXT NOT NULL
);
-- purpose: login for where answers go, logout for where people go afterwards.
CREATE TABLE client_addresses (
    application_id TEXT NOT NULL REFERENCES clients (application_id) ON DELETE CASCADE,
    purpose        TEXT NOT NULL,
    address        TEXT NOT NULL,
    PRIMARY KEY (application_id, purpose, address)
);

CREATE TABLE consents (
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scopes         TEXT NOT NULL,
    given_at       BIGINT NOT NULL,
    PRIMARY KEY (user_id, application_id)
);
CREATE INDEX consents_application ON consents (application_id);

-- What a person's session gave an application: first a code, and for the code
-- tokens. The session may be gone by the time an offline grant ends.
CREATE TABLE grants (
    id               TEXT PRIMARY KEY,
    application_id   TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id       TEXT NOT NULL,
    generation       BIGINT NOT NULL,
    scopes           TEXT NOT NULL,
    redirect_uri     TEXT NOT NULL,
    nonce            TEXT NOT NULL,
    challenge        TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    with_code        BOOLEAN NOT NULL,
    began_at         BIGINT NOT NULL,
    code_hash        BLOB NOT NULL UNIQUE,
    code_expires_at  BIGINT NOT NULL,
    code_used_at     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL,
    ended_by         TEXT NOT NULL
);
CREATE INDEX grants_user ON grants (user_id, ended_at);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_application ON grants (application_id);
CREATE INDEX grants_expires ON grants (expires_at);

-- kind: access or refresh. A refresh token that was used stays, so that its
-- second use is known for one.
CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    grant_id   TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX tokens_grant ON tokens (grant_id);
CREATE INDEX tokens_expires ON tokens (expires_at);

CREATE TABLE signing_keys (
    id        TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed    BLOB NOT NULL,
    made_at   BIGINT NOT NULL,
    signs_at  BIGINT NOT NULL
);

-- What applications have yet to be told of sessions that ended.
CREATE TABLE logout_notices (
    id             TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id        TEXT NOT NULL,
    session_id     TEXT NOT NULL,
    made_at        BIGINT NOT NULL,
    next_at        BIGINT NOT NULL,
    tries          INTEGER NOT NULL,
    done_at        BIGINT NOT NULL,
    failure        TEXT NOT NULL
);
CREATE INDEX logout_notices_next ON logout_notices (done_at, next_at);
