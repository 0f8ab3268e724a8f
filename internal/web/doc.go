// Package web is the floor under the handlers of every flow: who is asking,
// what a route demands, cookies, the origin of forms, the client's address,
// headers, the one place where an error becomes an answer, and the log.
//
// A flow hands over its routes and a [Floor] does the rest:
//
//	{Method: "POST", Path: "/account/name", Need: web.SignedIn, Serve: h.saveName}
//
// A handler asks [Asking] once for who is asking and what time it is, reads
// its form with [ReadForm], and answers with a page or a redirect, or returns
// an error.
package web
