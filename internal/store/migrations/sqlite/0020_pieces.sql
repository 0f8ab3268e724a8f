-- +goose Up
-- Twice as many parts of the index of pieces are merged at a time: whoever is added
-- waits for fewer merges, and a search looks into a few parts more.
INSERT INTO search_pieces (search_pieces, rank) VALUES ('automerge', 8);
