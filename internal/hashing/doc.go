// Package hashing computes the hashes of passwords and recovery codes, in
// processes of its own where a server does.
//
// A hash fills 19 MiB and takes a core for a while. In the server's own process
// each brings the next collection of garbage nearer, which stops all threads:
// also those that answer the sessions that exist, and it waits for those that are
// to go last. Apart, it is the system that chooses who runs, by priority, and
// what hashing fills is given back right after.
//
// The process is the program itself, and there is one for each core. It starts when
// something is to be hashed, and ends with the server, or after a while without work.
// What it is asked goes through a pipe, and is written nowhere. It takes what nobody
// else wants of the machine; where that is too little for a second, another one is
// asked that takes its share.
package hashing
