-- +goose Up
-- Whoever is protected by either: the overview counts them. Those of one of the two
-- are among them, and passkeys, which fewer have, keep an index of their own.
CREATE INDEX users_with_factors ON users (id) WHERE two_factor_since > 0 OR passkeys_since > 0;
