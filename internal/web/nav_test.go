package web_test

import (
	"testing"

	"github.com/twinlock/twinlock/internal/web"
)

func TestEveryPageOfTheAdministrationStandsUnderOneEntry(t *testing.T) {
	for path, entry := range map[string]string{
		"/admin": "/admin", "/admin/users/u1": "/admin/users", "/admin/invitations": "/admin/users", "/admin/invitations/list": "/admin/users",
		"/admin/apps/a1/rules": "/admin/apps", "/admin/proxy-check": "/admin/proxy-check",
	} {
		var current []string
		for _, link := range web.AdministrationNav(path).Links {
			if link.Current {
				current = append(current, link.Href)
			}
		}
		if len(current) != 1 || current[0] != entry {
			t.Errorf("%s stands under %q, want %s", path, current, entry)
		}
	}
}
