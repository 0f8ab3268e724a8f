// Package apps is the flow of the application list, where a login ends.
//
//	GET /apps            the applications that this person may open
//	GET /apps/{id}       to one of them, or why not
//	GET /apps/{id}/logo  what it is known by
package apps
