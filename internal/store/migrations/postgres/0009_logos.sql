-- +goose Up
-- The picture of an application on people's lists, as it was drawn anew.
CREATE TABLE logos (
    application_id TEXT PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    version        TEXT NOT NULL,
    png            BYTEA NOT NULL
);
