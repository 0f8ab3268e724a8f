package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/throttle"
)

// Clock is what is kept of the program's clock.
type Clock struct {
	Furthest time.Time // the furthest reading; zero: none was kept yet
	SetBacks int64     // how often it was set back
}

// Clock reads what is kept of the program's clock.
func (s *Store) Clock(ctx context.Context) (c Clock, err error) {
	var furthest int64
	err = s.read.QueryRowContext(ctx, `SELECT furthest_at, set_backs FROM clock`).Scan(&furthest, &c.SetBacks)
	if err != nil {
		return c, fmt.Errorf("read the kept clock: %w", err)
	}
	c.Furthest = fromMillis(furthest)
	return c, nil
}

// KeepClock keeps a reading that is further than the one kept. It changes
// nothing where the clock was set back meanwhile: what the caller has read
// belongs to the time before.
func (s *Store) KeepClock(ctx context.Context, c Clock) error {
	return s.transaction(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE clock SET furthest_at = $1 WHERE furthest_at < $1 AND set_backs = $2`,
			millis(c.Furthest), c.SetBacks)
		if err != nil {
			return fmt.Errorf("keep the clock: %w", err)
		}
		return nil
	})
}

// SetBack lets the clock go back from the furthest reading that is kept to now.
// What was over then stays over, for ever: sessions past a limit, windows that
// closed, proofs no longer fresh, logins and links out of time, waits that had
// passed, counts that were forgotten. So does what began further ahead of now
// than a session may last. Nothing else is brought forward or put off, but for
// what would wait or live longer than its rule says: tries, letters, and sessions
// that were seen ahead of now.
//
// It is done once: where the kept reading is not ahead of now, nothing happens.
// An answer that was lost may be asked for again.
//
// It is one transaction, though nobody else writes for some ten seconds among a
// million people with two sessions each. In pieces there would be a moment between
// the clock and the last row: what is not yet over for ever would live again, or what
// begins meanwhile would begin ahead of the clock.
func (s *Store) SetBack(ctx context.Context, furthest, now time.Time) error {
	return s.transaction(ctx, func(t *tx) error {
		kept, err := t.lowerClock(ctx, now)
		if err != nil || kept.IsZero() {
			return err
		}
		from := furthest
		if kept.After(from) {
			from = kept
		}
		words := s.setBackWords(from, now)
		for _, p := range passing {
			if _, err := t.exec(ctx, words(p.statement)); err != nil {
				return fmt.Errorf("set %s back: %w", p.table, err)
			}
		}
		t.everybody = true
		return t.record(ctx, auth.Actor{}, auth.EventClockSetBack, "",
			"from "+from.UTC().Format(time.RFC3339)+" to "+now.UTC().Format(time.RFC3339), now)
	})
}

// latestBeginning is the last moment at which something may have begun: what
// began further ahead of now than a session may last was begun by a clock that
// was wrong, and is over.
func (s *Store) latestBeginning(now time.Time) int64 {
	return millis(now.Add(s.rules.Policy.SessionOverall))
}

// lowerClock claims the one step back, and gives the reading that was kept
// before it; zero where that is not ahead of now.
func (t *tx) lowerClock(ctx context.Context, now time.Time) (kept time.Time, err error) {
	var furthest int64
	err = t.QueryRowContext(ctx, `SELECT furthest_at FROM clock`+t.forUpdate()).Scan(&furthest)
	if err != nil {
		return kept, fmt.Errorf("read the kept clock: %w", err)
	}
	if furthest <= millis(now) {
		return time.Time{}, nil
	}
	if err := t.claim(ctx, `UPDATE clock SET furthest_at = $1, set_backs = set_backs + 1 WHERE furthest_at = $2`,
		millis(now), furthest); err != nil {
		return kept, fmt.Errorf("set the kept clock back: %w", err)
	}
	return fromMillis(furthest), nil
}

// timed is one table's moments after which something is over, and the
// statement that keeps over what was over. In it {furthest} and {now} stand for
// the two readings, and the other names for what the settings say.
type timed struct {
	table     string
	columns   []string
	statement string
}

// passing is every column after whose moment something is over. A test holds
// every column with a time either to be here or in unconcerned.
var passing = []timed{
	{
		// A session that was past its limit is, and one that had lapsed has lapsed:
		// nobody ended them, so that their pages may still go on after a login. A
		// window that had closed is closed for good. A proof that was not fresh is not: the return that it would
		// have to come after is brought close before now. One made ahead of now
		// counts as made now. A code that was too old for an application's rule
		// stays as old as it was.
		table: "sessions", columns: []string{"began_at", "last_seen_at", "password_at", "code_at", "returned_at"},
		statement: `
		UPDATE sessions SET
		       began_at = CASE WHEN {past} THEN {now} - {overall} ELSE began_at END,
		       last_seen_at = CASE WHEN {lapsed} THEN {now} - {idle}
		                           WHEN last_seen_at > {now} THEN {now} ELSE last_seen_at END,
		       window_failures = CASE WHEN {closed} THEN {never} ELSE window_failures END,
		       returned_at = CASE WHEN returned_at > {now} THEN {now}
		                          WHEN ({stale password} OR {stale code}) AND returned_at < {latest stale} THEN {latest stale}
		                          ELSE returned_at END,
		       password_at = CASE WHEN {stale password} AND password_at >= {now} THEN {now} - 1
		                          WHEN password_at > {now} THEN {now} ELSE password_at END,
		       code_at = CASE WHEN {stale code} AND code_at >= {now} THEN {now} - 1
		                      WHEN {old code} THEN code_at - ({furthest} - {now})
		                      WHEN code_at > {now} THEN {now} ELSE code_at END
		 WHERE ended_at = 0
		   AND ({past} OR {lapsed} OR {closed} OR {stale password} OR {stale code} OR {old code}
		        OR last_seen_at > {now} OR returned_at > {now} OR password_at > {now} OR code_at > {now})`,
	},
	{
		table: "attempts", columns: []string{"began_at", "expires_at", "password_at", "code_at"},
		statement: `
		UPDATE attempts SET
		       expires_at = CASE WHEN expires_at <= {furthest} AND expires_at > {now}
		                           OR began_at > {now} + {overall} THEN {now} ELSE expires_at END,
		       password_at = CASE WHEN password_at > {now} THEN {now} ELSE password_at END,
		       code_at = CASE WHEN code_at > {now} THEN {now} ELSE code_at END
		 WHERE finished_at = 0 AND (expires_at > {now} OR password_at > {now} OR code_at > {now})`,
	},
	{
		table: "links", columns: []string{"created_at", "expires_at"},
		statement: `
		UPDATE links SET expires_at = {now}
		 WHERE expires_at > {now} AND (expires_at <= {furthest} OR created_at > {now} + {overall})`,
	},
	{
		table: "signups", columns: []string{"began_at", "expires_at"},
		statement: `
		UPDATE signups SET expires_at = {now}
		 WHERE expires_at > {now} AND (expires_at <= {furthest} OR began_at > {now} + {overall})`,
	},
	{
		// A wait that had passed has passed, and a count that was forgotten is. One
		// that still counts does so no longer than its rule says from now.
		table: "throttle", columns: []string{"first_at", "last_at"},
		statement: `
		UPDATE throttle SET
		       failures = CASE WHEN {forgotten} THEN 0 ELSE failures END,
		       first_at = CASE WHEN first_at > {now} THEN {now} ELSE first_at END,
		       last_at = CASE WHEN {passed} THEN {now} - {wait}
		                      WHEN last_at > {now} THEN {now} ELSE last_at END
		 WHERE first_at > {now} OR last_at > {now} OR {forgotten} OR {passed}`,
	},
	{
		table: "hand_overs", columns: []string{"expires_at"},
		statement: `
		UPDATE hand_overs SET expires_at = {now}
		 WHERE claimed_at = 0 AND expires_at > {now} AND (expires_at <= {furthest} OR expires_at > {now} + {overall})`,
	},
	{
		// A letter that was due is due; the pause before another try is no longer.
		table: "letters", columns: []string{"created_at", "next_at"},
		statement: `
		UPDATE letters SET
		       created_at = CASE WHEN created_at > {now} THEN {now} ELSE created_at END,
		       next_at = CASE WHEN next_at <= {now} THEN next_at
		                      WHEN next_at <= {furthest} THEN {now}
		                      ELSE next_at - ({furthest} - {now}) END
		 WHERE done_at = 0 AND (created_at > {now} OR next_at > {now})`,
	},
	{
		table: "grants", columns: []string{"began_at", "code_expires_at", "expires_at"},
		statement: `
		UPDATE grants SET
		       code_expires_at = CASE WHEN code_expires_at <= {furthest} AND code_expires_at > {now}
		                                OR began_at > {now} + {overall} THEN {now} ELSE code_expires_at END,
		       expires_at = CASE WHEN expires_at <= {furthest} AND expires_at > {now}
		                           OR began_at > {now} + {overall} THEN {now} ELSE expires_at END
		 WHERE ended_at = 0 AND (code_expires_at > {now} OR expires_at > {now})`,
	},
	{
		table: "tokens", columns: []string{"made_at", "expires_at"},
		statement: `
		UPDATE tokens SET expires_at = {now}
		 WHERE expires_at > {now} AND (expires_at <= {furthest} OR made_at > {now} + {overall})`,
	},
	{
		table: "logout_notices", columns: []string{"made_at", "next_at"},
		statement: `
		UPDATE logout_notices SET
		       made_at = CASE WHEN made_at > {now} THEN {now} ELSE made_at END,
		       next_at = CASE WHEN next_at <= {now} THEN next_at
		                      WHEN next_at <= {furthest} THEN {now}
		                      ELSE next_at - ({furthest} - {now}) END
		 WHERE done_at = 0 AND (made_at > {now} OR next_at > {now})`,
	},
}

// unconcerned are the columns with a number as large as a time that are no
// moment after which something is over, and why.
var unconcerned = map[string]string{
	"authenticators.created_at":       "said and sorted by, no more",
	"authenticators.last_step":        "the last step that was spent: never lowered",
	"authenticators.last_used_at":     "said, no more",
	"applications.created_at":         "sorted by, no more",
	"application_rules.code_within":   "a length of time",
	"application_sessions.began_at":   "said, no more: it is over with its session",
	"application_sessions.generation": "no time",
	"attempts.finished_at":            "zero or not: it happened",
	"attempts.generation":             "no time",
	"ceremonies.expires_at":           "it only keeps what was answered; a page's own is refused once the clock was set back",
	"clock.furthest_at":               "the clock itself",
	"clock.read_at":                   "the clock itself",
	"clock.set_backs":                 "no time",
	"clock.steady_since":              "the clock itself",
	"consents.given_at":               "said, no more",
	"devices.created_at":              "said, no more",
	"devices.last_used_at":            "how long it is kept; it opens nothing",
	"events.at":                       "what happened, as it was seen; how long it is kept",
	"grants.authenticated_at":         "what applications are told",
	"grants.code_used_at":             "zero or not: it happened",
	"grants.ended_at":                 "zero or not: it happened",
	"grants.generation":               "no time",
	"groups.open_window":              "a length of time",
	"hand_overs.claimed_at":           "zero or not: it happened",
	"hand_overs.generation":           "no time",
	"letters.done_at":                 "zero or not: it happened; how long it is kept",
	"links.generation":                "no time",
	"links.used_at":                   "zero or not: it happened",
	"logout_notices.done_at":          "zero or not: it happened; how long it is kept",
	"nodes.beat":                      "no time",
	"passkeys.created_at":             "said and sorted by, no more",
	"passkeys.last_used_at":           "said, no more",
	"passkeys.sign_count":             "no time",
	"recovery_codes.used_at":          "zero or not: it happened",
	"recovery_sets.made_at":           "said, no more",
	"sessions.ended_at":               "zero or not: it happened; how long it is kept",
	"sessions.generation":             "no time",
	"sign_ins.day":                    "counted by, no more",
	"sign_ins.times":                  "no time",
	"signing_keys.made_at":            "said, no more",
	"signing_keys.signs_at":           "of the keys that are kept one always signs",
	"tokens.used_at":                  "zero or not: it happened",
	"throttle.closed_at":              "zero or not: the door is closed until it is opened; said",
	"users.created_at":                "said and sorted by, no more",
	"users.generation":                "no time",
	"users.last_login_at":             "zero or not: whether there was one; said",
	"users.passkey_offered_at":        "an offer comes early or late, no more",
	"users.passkeys_since":            "zero or not: whether they are on; said",
	"users.password_changed_at":       "said, no more",
	"users.two_factor_since":          "zero or not: whether it is on; said",
}

// closedForGood is more wrong passwords than any window survives.
const closedForGood = 1_000_000_000

// setBackWords put conditions and numbers where the statements have names. The
// numbers are our own: two readings of the clock, and the settings.
func (s *Store) setBackWords(furthest, now time.Time) func(statement string) string {
	conditions := strings.NewReplacer(
		"{past}", "("+revives("began_at + {overall}")+" OR began_at > {now} + {overall})",
		"{lapsed}", revives("last_seen_at + {idle}"),
		"{closed}", revives("CASE WHEN code_at > 0 THEN code_at ELSE began_at END + "+windowText),
		"{stale password}", revives("password_at + {fresh}"),
		"{stale code}", "(code_at > 0 AND "+revives("code_at + {fresh}")+")",
		"{old code}", "(code_at > 0 AND EXISTS (SELECT 1 FROM application_rules r WHERE r.code_within > 0 AND "+
			revives("sessions.code_at + r.code_within")+"))",
		"{forgotten}", "("+s.rules.perKind(spanOf)+" > 0 AND "+revives("first_at + "+s.rules.perKind(spanOf))+")",
		"{passed}", revives("last_at + "+s.rules.perKind(waitOf)),
		"{wait}", s.rules.perKind(waitOf),
	)
	p := s.rules.Policy
	stale := furthest.Add(-p.Fresh) // the latest proof that was not fresh any more
	if !stale.Before(now) {
		stale = now.Add(-time.Millisecond)
	}
	var numbers []string
	for name, n := range map[string]int64{
		"{furthest}": millis(furthest), "{now}": millis(now), "{latest stale}": millis(stale),
		"{overall}": p.SessionOverall.Milliseconds(), "{idle}": p.SessionIdle.Milliseconds(),
		"{window}": p.OpenWindow.Milliseconds(), "{fresh}": p.Fresh.Milliseconds(), "{never}": closedForGood,
	} {
		numbers = append(numbers, name, strconv.FormatInt(n, 10))
	}
	return func(statement string) string {
		return strings.NewReplacer(numbers...).Replace(conditions.Replace(statement))
	}
}

// revives is that something was over at the furthest reading, and would not be now.
func revives(end string) string { return "(" + end + " <= {furthest} AND " + end + " > {now})" }

// windowText is for how long a session's window spares the code.
const windowText = `COALESCE((SELECT MIN(g.open_window) FROM memberships m JOIN groups g ON g.id = m.group_id
	WHERE m.user_id = sessions.user_id AND g.open_window >= 0 AND g.open_window < {window}), {window})`

// ofKind gives the rules of all counts, so that what had passed by them can be
// told. A count that has no time to pass needs none, and is here all the same.
func (r Rules) ofKind() map[throttle.Kind]throttle.Rule {
	return map[throttle.Kind]throttle.Rule{
		throttle.Passwords:       r.Tries,
		throttle.DevicePasswords: r.Tries,
		throttle.Codes:           r.Tries,
		throttle.SetUpCodes:      r.Tries,
		throttle.MonthsCodes:     r.CodesThisMonth,
		throttle.LettersCodes:    r.CodesThisMonth,
		throttle.Networks:        r.Network,
		throttle.LinkLetters:     r.Letters,
		throttle.StartedLinks:    r.Letters,
		throttle.NobodysLinks:    r.Letters,
		throttle.ExistsLetters:   r.Letters,
		throttle.UnlockOffers:    unlockLetters,
		throttle.CodesTold:       wrongCodeLetters,
		throttle.ClientSecrets:   clientSecrets,
		throttle.ResetRequests:   r.Requests,
		throttle.SignUps:         r.Requests,
		throttle.NewAddresses:    r.Network,
		throttle.DevicePasskeys:  r.Network,
		throttle.CopiesTold:      copiedLetters,
		throttle.RefusedPasskeys: refusedPasskeys,
	}
}

// perKind is a length of time that depends on the kind of a bucket.
func (r Rules) perKind(length func(throttle.Rule) string) string {
	text := "CASE"
	for _, kind := range throttle.Kinds {
		text += ` WHEN bucket LIKE '` + string(kind) + `:%' THEN ` + length(r.ofKind()[kind])
	}
	return text + " ELSE 0 END"
}

// spanOf is for how long the failures of a bucket count; 0 for those that count
// until a success.
func spanOf(r throttle.Rule) string { return strconv.FormatInt(r.Window.Milliseconds(), 10) }

// mostDoublings make every first wait longer than any longest.
const mostDoublings = 30

// waitOf is how long the failures of a bucket make wait.
func waitOf(r throttle.Rule) string {
	if r.FirstWait == 0 {
		return "0"
	}
	return fmt.Sprintf(`CASE WHEN failures = 0 OR failures < %[1]d THEN 0
		WHEN failures - %[1]d >= %[4]d OR (CAST(%[2]d AS BIGINT) << (failures - %[1]d)) >= %[3]d THEN %[3]d
		ELSE CAST(%[2]d AS BIGINT) << (failures - %[1]d) END`,
		r.Free, r.FirstWait.Milliseconds(), r.LongestWait.Milliseconds(), mostDoublings)
}
