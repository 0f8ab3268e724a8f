package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// crowded has one person more than a page lists, each with a closed door, beside
// the administrator at work.
func crowded(t *testing.T) (*apptest.Site, *apptest.Browser) {
	t.Helper()
	site := apptest.New(t)
	root := site.Browser()
	root.SignIn(site.Administrator("root@example.org"))
	people := make([]store.NewUser, 51)
	for i := range people {
		a, err := address.Parse(fmt.Sprintf("person%02d@example.org", i+1))
		must(t, err)
		people[i] = store.NewUser{Address: a, Hash: "hash"}
	}
	_, err := site.Store.AddUsers(t.Context(), apptest.Command, people, site.Now())
	must(t, err)
	for _, n := range people {
		u, err := site.Store.UserByAddress(t.Context(), n.Address.Canonical)
		must(t, err)
		_, err = site.Store.PayAtDoor(t.Context(), store.Door{Bucket: throttle.Password(u.Canonical), Canonical: u.Canonical, Owner: u,
			Rule: throttle.Rule{Free: 1, FirstWait: time.Second, LongestWait: time.Second, CloseAfter: 1}}, nil, auth.Actor{}, site.Now())
		must(t, err)
	}
	return site, root
}

func TestPeopleAreReadPageByPage(t *testing.T) {
	_, root := crowded(t)
	const first, last = "person01@example.org", "person51@example.org"
	for _, begin := range []string{"/admin/users?search=PERSON", "/admin/users?locked=yes", "/admin/users?locked=yes&search=person"} {
		asked, err := url.Parse(begin)
		must(t, err)
		page := root.Get(begin).WantStatus(http.StatusOK)
		if !page.HasLink(first) || page.HasLink(last) || page.HasLink("Previous page") || !page.Says("51 people") {
			t.Errorf("%s: the first page says %s", begin, page.Text())
		}
		second, err := url.Parse(page.Href("Next page"))
		must(t, err)
		for _, name := range []string{"search", "locked"} {
			if got, want := second.Query().Get(name), asked.Query().Get(name); got != want {
				t.Errorf("%s: Next carries %s=%q, want %q", begin, name, got, want)
			}
		}
		page = root.Get(second.String()).WantStatus(http.StatusOK)
		if !page.HasLink(last) || page.HasLink(first) || page.HasLink("Next page") || page.Says("Nobody found") {
			t.Errorf("%s: the last page says %s", second, page.Text())
		}
		if back := page.Follow("Previous page"); !back.HasLink(first) || back.HasLink("root@example.org") || back.HasLink("Previous page") || !back.HasLink("Next page") {
			t.Errorf("%s: Previous says %s", second, back.Text())
		}
	}
	if page := root.Get("/admin/users?search=root&after=gone"); !page.HasLink("root@example.org") || page.HasLink("Next page") {
		t.Errorf("the only page says %s", page.Text())
	}
}

func TestTheRecordIsReadPageByPage(t *testing.T) {
	site, root := crowded(t)
	const kind = "/admin/events?kind=user.added"
	page := root.Get(kind).WantStatus(http.StatusOK)
	if !page.HasLink("Older events") {
		t.Errorf("the newest page says %s", page.Text())
	}
	oldest := page.Follow("Older events")
	events, err := site.Store.Events(t.Context(), store.EventFilter{Kind: auth.EventUserAdded, Limit: 100})
	must(t, err)
	if len(events) != 52 {
		t.Fatalf("%d events, want 52", len(events))
	}
	for i, e := range events {
		if e.SubjectAddress == "root@example.org" { // who is named on each page, as the one who looks
			continue
		}
		if on := map[bool]*apptest.Page{true: page, false: oldest}[i < 50]; !on.Says(e.SubjectAddress) {
			t.Errorf("event %d is not on its page: %s", i, on.Text())
		}
		if on := map[bool]*apptest.Page{true: oldest, false: page}[i < 50]; on.Says(e.SubjectAddress) {
			t.Errorf("event %d is on the other page as well", i)
		}
	}
	if oldest.HasLink("Older events") || oldest.Says("setting.changed") {
		t.Errorf("the oldest page says %s", oldest.Text())
	}
}
