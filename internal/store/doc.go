// Package store holds all SQL of Twinlock: one file per table or moment.
//
// A moment is a function named after what becomes true in it: [Store.ProvePassword],
// [Store.ProveCode], [Store.FinishLogin]. It is one transaction that checks
// and claims in the same statement, writes the event, queues the letter, and
// tells the listener what ended, before it returns. PostgreSQL may undo one in
// favour of another; it is run again then, and so keeps nothing between runs.
//
// Moments take their locks in one order, so that two that meet take turns: the
// plug-ins, the administrators, the account, an address; then sign-ups behind the
// count of their letters, attempts, links; counts of tries, the doors first;
// sessions by their identifiers, and what hangs on them.
//
// Every query is one text for SQLite and PostgreSQL ($1 placeholders, times
// as milliseconds since the Unix epoch in UTC, zero for never). The database's
// own clock decides nothing: every moment takes now.
package store
