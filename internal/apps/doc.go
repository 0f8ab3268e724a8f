// Package apps is the flow of the application list, where a login ends.
//
//	GET /apps  the applications that this person may open
package apps
