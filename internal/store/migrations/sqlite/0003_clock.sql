-- +goose Up
-- The furthest that the program's clock has been, and how often it was set back.
CREATE TABLE clock (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    furthest_at BIGINT NOT NULL,
    set_backs   BIGINT NOT NULL
);
INSERT INTO clock (one, furthest_at, set_backs) VALUES (1, 0, 0);
