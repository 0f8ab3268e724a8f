// Package forwardauth is the flow of the one question that a reverse proxy asks
// before it lets a request through to an application: may this one pass?
//
//	GET /forward-auth/nginx      the question, in the words of nginx's auth_request
//	GET /forward-auth/caddy      in those of Caddy's forward_auth
//	GET /forward-auth/traefik    in those of Traefik's ForwardAuth
//	GET /forward-auth/hand-over  signs a person in at an application's own host
//
// The session's cookie never leaves our host. At an application's host the
// browser holds a cookie of its own, which names a child of the session. It gets
// there in four steps, all of them redirects:
//
//  1. The proxy asks about a request that nobody is signed in for. The answer
//     gives the browser a token there, and leads to the login.
//  2. The login leads to the hand-over, which makes a ticket: for a minute, once,
//     for this origin, and for the browser that holds that token.
//  3. The ticket comes to /.twinlock/ at the application's host, and with it
//     again to us as a question. It is claimed, and its answer gives the browser
//     its cookie.
//  4. The visitor is where they wanted to go.
package forwardauth
