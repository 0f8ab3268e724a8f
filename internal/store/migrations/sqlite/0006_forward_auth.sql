-- +goose Up
-- The origins at which an application behind a proxy is asked for. One origin
-- belongs to one application.
CREATE TABLE application_origins (
    origin         TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    position       INTEGER NOT NULL
);
CREATE INDEX application_origins_application ON application_origins (application_id);

-- What its addresses ask, in order. A rule outlives its group, so that deleting
-- a group closes what only it might see, and never opens it.
CREATE TABLE application_rules (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    position       INTEGER NOT NULL,
    host           TEXT NOT NULL,
    path           TEXT NOT NULL,
    access         TEXT NOT NULL,
    group_id       TEXT NOT NULL,
    code_within    BIGINT NOT NULL,
    PRIMARY KEY (application_id, position)
);

-- A one-time ticket that carries a session over to an application's own host.
CREATE TABLE hand_overs (
    ticket_hash    BLOB PRIMARY KEY,
    browser_hash   BLOB NOT NULL,
    session_id     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    origin         TEXT NOT NULL,
    generation     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    claimed_at     BIGINT NOT NULL
);
CREATE INDEX hand_overs_session ON hand_overs (session_id);
CREATE INDEX hand_overs_expires ON hand_overs (expires_at);

-- What a browser holds at an application's host: a child of a session.
CREATE TABLE application_sessions (
    token_hash     BLOB PRIMARY KEY,
    session_id     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    origin         TEXT NOT NULL,
    generation     BIGINT NOT NULL,
    began_at       BIGINT NOT NULL,
    UNIQUE (session_id, origin)
);
