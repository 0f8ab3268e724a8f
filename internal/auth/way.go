package auth

// Way is a second factor that somebody may show.
type Way string

const (
	WayAuthenticator Way = "authenticator"
	WayPasskey       Way = "passkey"
	WayRecoveryCode  Way = "recovery code"
)

// Ways are the second factors that a person may show now, the one that is asked
// for first at the beginning. Recovery codes stand in for what else counts, and
// for nothing where nothing does.
func Ways(u User, p Policy, recoveryCodes int) []Way {
	var ways []Way
	if p.AsksAuthenticator(u) {
		ways = append(ways, WayAuthenticator)
	}
	if p.AsksPasskey(u) {
		ways = append(ways, WayPasskey)
	}
	if len(ways) > 0 && recoveryCodes > 0 {
		ways = append(ways, WayRecoveryCode)
	}
	return ways
}
