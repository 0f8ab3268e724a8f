// Package oidc is the flow in which people sign in to applications by OpenID
// Connect.
//
//	GET  /.well-known/openid-configuration  what works here, and where
//	GET  /oidc/keys                         what our signatures are checked with
//	GET  /oidc/authorize                    an application asks for somebody
//	POST /oidc/authorize
//	GET  /oidc/continue?waiting             back from the login, or whatever else was owed
//	POST /oidc/consent                      "Allow", or not
//	POST /oidc/token                        the code for tokens; tokens for newer ones
//	GET  /oidc/userinfo                     what the application may learn
//	POST /oidc/userinfo
//	POST /oidc/revoke                       the application gives a token back
//	GET  /oidc/logout                       an application wants its person logged out
//	POST /oidc/logout
//	POST /oidc/logout/confirm               "Log out"
//
// A request is checked whole before anybody sees a page: where the application
// or the address for its answer is not known for certain, nothing is sent
// anywhere. While a person logs in, the request waits in the address that the
// login leads back to, sealed for their browser; nothing is kept of it. goOn is
// the one place that decides what is owed next and when a code is made.
//
// Written by OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0 and
// Back-Channel Logout 1.0, RFC 6749, 6750, 7009, 7636, 8252, 9207 and 9700.
package oidc
