-- +goose Up
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id                   TEXT PRIMARY KEY,
    address              TEXT NOT NULL,
    canonical            TEXT NOT NULL UNIQUE,
    name                 TEXT NOT NULL,
    language             TEXT NOT NULL,
    theme                TEXT NOT NULL,
    state                TEXT NOT NULL,
    administrator        BOOLEAN NOT NULL,
    must_use_two_factor  BOOLEAN NOT NULL,
    two_factor_since     BIGINT NOT NULL,
    generation           BIGINT NOT NULL,
    password_hash        TEXT NOT NULL,
    password_changed_at  BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    last_login_at        BIGINT NOT NULL
);
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE groups (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    canonical   TEXT NOT NULL UNIQUE,
    open_window BIGINT NOT NULL
);
CREATE TABLE memberships (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE signups (
    canonical     TEXT PRIMARY KEY,
    address       TEXT NOT NULL,
    language      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    token_hash    BYTEA NOT NULL,
    browser_hash  BYTEA NOT NULL,
    began_at      BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX signups_token ON signups (token_hash);

CREATE TABLE authenticators (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed_key   BYTEA NOT NULL,
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX authenticators_user ON authenticators (user_id);

CREATE TABLE recovery_sets (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    salt    BYTEA NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE TABLE recovery_codes (
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    hash     BYTEA NOT NULL,
    used_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, position)
);

CREATE TABLE attempts (
    id                TEXT PRIMARY KEY,
    browser_hash      BYTEA NOT NULL,
    user_id           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose           TEXT NOT NULL,
    generation        BIGINT NOT NULL,
    return_to         TEXT NOT NULL,
    began_at          BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    password_at       BIGINT NOT NULL,
    code_at           BIGINT NOT NULL,
    code_by           TEXT NOT NULL,
    wrong_codes       INTEGER NOT NULL,
    new_password_owed BOOLEAN NOT NULL,
    finished_at       BIGINT NOT NULL
);
CREATE INDEX attempts_expires ON attempts (expires_at);
CREATE INDEX attempts_user ON attempts (user_id);

CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    token_hash      BYTEA NOT NULL UNIQUE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation      BIGINT NOT NULL,
    began_at        BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    password_at     BIGINT NOT NULL,
    code_at         BIGINT NOT NULL,
    returned_at     BIGINT NOT NULL,
    device          TEXT NOT NULL,
    network         TEXT NOT NULL,
    window_failures INTEGER NOT NULL,
    ended_at        BIGINT NOT NULL,
    ended_by        TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, ended_at);
CREATE INDEX sessions_ended ON sessions (ended_at);
CREATE INDEX sessions_began ON sessions (began_at);

CREATE TABLE devices (
    token_hash   BYTEA PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX devices_user ON devices (user_id);

CREATE TABLE throttle (
    bucket   TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);
CREATE INDEX throttle_last ON throttle (last_at);

CREATE TABLE links (
    token_hash BYTEA PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    canonical  TEXT NOT NULL,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX links_user ON links (user_id, purpose);
CREATE INDEX links_expires ON links (expires_at);

CREATE TABLE letters (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    tries      INTEGER NOT NULL,
    done_at    BIGINT NOT NULL,
    failure    TEXT NOT NULL
);
CREATE INDEX letters_next ON letters (done_at, next_at);

CREATE TABLE events (
    id      TEXT PRIMARY KEY,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    actor   TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT NOT NULL,
    device  TEXT NOT NULL,
    network TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX events_at ON events (at, id);
CREATE INDEX events_subject ON events (subject, at);
CREATE INDEX events_kind ON events (kind, at);

CREATE TABLE plugins (
    id       TEXT PRIMARY KEY,
    active   BOOLEAN NOT NULL,
    everyone BOOLEAN NOT NULL
);
CREATE TABLE plugin_groups (
    plugin_id TEXT NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    group_id  TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (plugin_id, group_id)
);
CREATE TABLE plugin_users (
    plugin_id TEXT NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (plugin_id, user_id)
);

CREATE TABLE applications (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    url         TEXT NOT NULL,
    everyone    BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE TABLE application_groups (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    group_id       TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (application_id, group_id)
);
CREATE TABLE application_users (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (application_id, user_id)
);

