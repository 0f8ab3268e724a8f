// Package app builds the whole of Twinlock from its settings. It is the only
// package that knows all others.
//
// Start opens the keys and the database, hands the flows their parts, and
// begins the background work: letters are sent, last-seen times written,
// what is over is purged. Stop ends it in the other order.
package app
