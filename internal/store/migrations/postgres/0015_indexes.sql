-- +goose Up
-- Few people administer.
CREATE INDEX users_administering ON users (id) WHERE administrator;
-- Who would lose protection by a change of the plug-in.
CREATE INDEX users_protected ON users (id) WHERE two_factor_since > 0;
-- What the purge looks for.
CREATE INDEX devices_used ON devices (last_used_at);
CREATE INDEX signups_expires ON signups (expires_at);
-- Whatever goes with its application, its person or its group.
CREATE INDEX application_sessions_application ON application_sessions (application_id);
CREATE INDEX hand_overs_application ON hand_overs (application_id);
CREATE INDEX logout_notices_application ON logout_notices (application_id);
CREATE INDEX application_groups_group ON application_groups (group_id);
CREATE INDEX application_users_user ON application_users (user_id);
CREATE INDEX plugin_groups_group ON plugin_groups (group_id);
CREATE INDEX plugin_users_user ON plugin_users (user_id);
-- Most sessions have not ended: an index of all of them led whoever looks for one
-- that has not to look at every one. The old one goes last, for until the end of the
-- step nobody can read sessions any more.
CREATE INDEX sessions_ended_only ON sessions (ended_at) WHERE ended_at > 0;
DROP INDEX sessions_ended;
ALTER INDEX sessions_ended_only RENAME TO sessions_ended;
