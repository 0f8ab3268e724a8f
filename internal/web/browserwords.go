package web

import "github.com/mileusna/useragent"

// BrowserInWords is what a browser says of itself, said shorter and the same in
// every language: "Firefox · Linux"; "" where it says nothing that is understood.
func BrowserInWords(userAgent string) string {
	ua := useragent.Parse(userAgent)
	switch {
	case ua.Name == "" || ua.OS == "":
		return ua.Name
	case ua.Device != "":
		return ua.Name + " · " + ua.Device
	}
	return ua.Name + " · " + ua.OS
}
