-- +goose Up
-- How often people signed in to an application on each day (UTC, counted since
-- 1 January 1970). The figures outlive the events that they were made of.
CREATE TABLE sign_ins (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    day            BIGINT NOT NULL,
    times          BIGINT NOT NULL,
    PRIMARY KEY (application_id, day)
);
