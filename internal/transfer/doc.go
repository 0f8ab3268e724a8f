// Package transfer brings data in and out: backups and restores, and people
// from other programs.
//
// A backup is one moment of the database as text, the same from SQLite and from
// PostgreSQL, packed by gzip. Its lines are JSON: a header, then for each table
// one line that names it and its columns and one line a row, then the checksum
// of all lines before. It may be read with zcat.
package transfer
