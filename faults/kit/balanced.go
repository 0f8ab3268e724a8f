package kit

import (
	"strings"

	"github.com/twinlock/twinlock/internal/apptest"
	"github.com/twinlock/twinlock/internal/apptest/program"
)

// BehindBalancer are the flags of servers that HAProxy stands before, and that many
// ask for a hash at once.
var BehindBalancer = []string{"--trusted-proxies", "127.0.0.1/32", "--hash-wait", "15s"}

// Balance puts HAProxy before two servers, with the lines of the page on
// PostgreSQL, in a test of the folder faults.
func (s *Site) Balance() {
	s.t.Helper()
	var servers []string
	for _, server := range s.Servers {
		servers = append(servers, strings.TrimPrefix(server.Local, "http://"))
	}
	s.balancer = "127.0.0.1:" + program.FreePort(s.t)
	program.Balance(s.t, "../docs/postgresql.md", s.balancer, servers...)
}

// Balanced opens a browser on HAProxy.
func (s *Site) Balanced(network string) *apptest.Browser {
	s.t.Helper()
	return apptest.Far(s.t, s.URL, "http://"+s.balancer, network)
}

// BalancedKeeping is Balanced for a browser that keeps its connection.
func (s *Site) BalancedKeeping(network string) *apptest.Browser {
	s.t.Helper()
	return apptest.Keeping(s.t, s.URL, "http://"+s.balancer, network)
}
