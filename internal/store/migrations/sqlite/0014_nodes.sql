-- +goose Up
-- The servers on this database that remember what they read of it, each with the
-- beat that it last gave; and which of them does what one of them is to do.
CREATE TABLE nodes (
	id   TEXT PRIMARY KEY,
	beat BIGINT NOT NULL
);
CREATE TABLE duties (
	name TEXT PRIMARY KEY,
	node TEXT NOT NULL
);
