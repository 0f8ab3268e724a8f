// Package setup is the flow of the first start: the wizard that makes the
// first administrator.
//
//	GET  /setup?token=…  the wizard
//	POST /setup          makes the administrator and signs in
//
// The link to it is printed where the server was started, so that whoever
// reaches a fresh server first over the network gets nothing. It works once,
// and only the newest does; of several servers that start, each prints one that
// works. When somebody administers, the addresses are gone.
package setup
