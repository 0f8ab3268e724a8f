// Package auth holds the words of Twinlock and its pure rules.
//
// A word is here when two flows say it: User, Attempt, Session, Policy,
// Plugin, Application, Event, Actor. A rule is here when it belongs to no
// single step: [Next] knows the order of signing in, [StandingOf] what a
// session is still worth, [May] whether a person's proofs are fresh enough.
//
// Nothing here asks a clock, a disk, a database or a request. Every function
// looks at its arguments and at nothing else, so that all of it can be read,
// and tested, without a server.
package auth
