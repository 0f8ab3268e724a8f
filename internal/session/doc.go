// Package session answers the question asked more often than any other: whose
// session is this?
//
// It keeps live sessions, and the policy they live under, in memory in front
// of the store. An ending leaves memory in the same call that writes it: the
// store tells this package before it returns. A row that was read before a
// change is never kept after it. Of a database that other processes may write as
// well nothing is kept but when a session was last used.
package session
