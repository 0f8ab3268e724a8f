package store

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Belongings are what goes with an application when it is deleted.
type Belongings struct {
	SignedIn int // people whose sign-in there goes on
	Consents int // people who agreed to what it may learn
	Rules    int
	SignIns  int // that were counted
	Logo     bool
	Secret   bool // its client secret
}

// Belongings counts what goes with an application.
func (s *Store) Belongings(ctx context.Context, id auth.ApplicationID, now time.Time) (b Belongings, err error) {
	c := clause{args: []any{id, millis(now)}}
	goingOn := s.goingOn(&c, now)
	err = s.read.QueryRowContext(ctx, `
		SELECT (SELECT COUNT(*) FROM (
		          SELECT s.user_id FROM application_sessions c JOIN sessions s ON s.id = c.session_id
		           WHERE c.application_id = $1 AND `+goingOn+`
		          UNION
		          SELECT user_id FROM grants WHERE application_id = $1 AND ended_at = 0 AND code_used_at > 0 AND expires_at > $2) people),
		       (SELECT COUNT(*) FROM consents WHERE application_id = $1),
		       (SELECT COUNT(*) FROM application_rules WHERE application_id = $1),
		       (SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM sign_ins WHERE application_id = $1),
		       EXISTS (SELECT 1 FROM logos WHERE application_id = $1),
		       EXISTS (SELECT 1 FROM clients WHERE application_id = $1 AND NOT public)`, c.args...).Scan(
		&b.SignedIn, &b.Consents, &b.Rules, &b.SignIns, &b.Logo, &b.Secret)
	if err != nil {
		return b, fmt.Errorf("what goes with application %s: %w", id, err)
	}
	return b, nil
}
