package auth

import (
	"slices"
	"time"
)

// ApplicationID names an application.
type ApplicationID string

// Application is something that people open from the application list.
// Nobody may open it until somebody is allowed.
type Application struct {
	ID          ApplicationID
	Name        string
	Description string
	URL         string
	Created     time.Time

	Everyone bool
	Groups   []GroupID
	Users    []UserID
}

// MayOpen tells whether a person in these groups may open the application.
func (a Application) MayOpen(u UserID, groups []GroupID) bool {
	return a.Everyone || slices.Contains(a.Users, u) ||
		slices.ContainsFunc(groups, func(g GroupID) bool { return slices.Contains(a.Groups, g) })
}
