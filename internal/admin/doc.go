// Package admin is the flow of the administrator's pages.
//
//	GET  /admin                      health, and logins over time
//	GET  /admin/plugins              what is active, and for whom
//	POST /admin/plugins/{id}         change that; asks once more where people lose protection
//	GET  /admin/users                find and invite people
//	POST /admin/users/invite
//	GET  /admin/users/{id}           one person
//	POST /admin/users/{id}/{change}  disable, enable, sessions, reset, factors, …
//	GET  /admin/groups               groups; POST to add, change, delete
//	GET  /admin/apps                 applications; POST to add
//	GET  /admin/apps/{id}            one application; POST to change, delete
//	POST /admin/apps/{id}/rules      what its addresses ask, behind a proxy; asks once more before something becomes public
//	GET  /admin/proxy-check          what reverse proxies hand on, and how to mend it
//	GET  /admin/events               the record
//	GET  /admin/settings             who may sign up; a test letter; what the operator set
//
// Every page wants a code since the last return through an open window, every
// change one not older than a quarter of an hour; the floor sees to both.
// Nothing here shows or takes a person's password, key or code.
package admin
