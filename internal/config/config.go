// Package config says how one Twinlock server is set up.
//
// Config is the only list of settings. Each has one name in three spellings,
// --public-url, TWINLOCK_PUBLIC_URL and public_url in a TOML file; a flag wins
// over the environment, the environment over the file, the file over the
// default. Whatever is unknown or wrong is refused by name and place.
package config

import "time"

// Config holds every setting, checked and ready to use.
//
// The tags are the whole truth about a setting: its name, what it is when
// nobody sets it, what it accepts, and the one sentence that the help, the
// documentation and `config show` print. The zero Config is not usable; take
// one from [Load].
type Config struct {
	Listen         Listener      `name:"listen" default:"127.0.0.1:8080" section:"Where it runs" help:"The address and port the server listens on."`
	PublicURL      Origin        `name:"public_url" default:"http://localhost:8080" help:"The address people type, which is also the only origin whose forms are accepted; unset, it is http://localhost with the port of listen."`
	MetricsListen  Listener      `name:"metrics_listen" help:"The address and port on which Prometheus is answered, at /metrics, and nobody else should be; unset, nobody is."`
	Data           string        `name:"data" default:"./data" help:"The folder that holds the database, the keys, the control socket and, without a mail server, the letters."`
	DatabaseURL    Database      `name:"database_url" default:"sqlite:DATA/twinlock.db" help:"The database, an SQLite file or a PostgreSQL server."`
	SealingKeyFile string        `name:"sealing_key_file" help:"A file with the key that seals secrets in the database, the same on every node; unset, it is made once in DATA/keys."`
	TrustedProxies Networks      `name:"trusted_proxies" help:"The reverse proxies whose forwarded headers are believed; unset, none are."`
	TLSCert        string        `name:"tls_cert" help:"The certificate, with its chain, with which Twinlock speaks TLS itself, in PEM; read again when it changes. Unset, it speaks plain http, behind a proxy or on this machine alone."`
	TLSKey         string        `name:"tls_key" help:"The private key of tls_cert, in PEM."`
	LogFormat      LogFormat     `name:"log_format" default:"json" accept:"json|text" help:"How the lines of the log are written, one for each thing that the operator should know."`
	LogLevel       LogLevel      `name:"log_level" default:"info" accept:"debug|info|warn|error" help:"What the log tells: debug adds a line for every request, info has at most 60 a minute of pages that strangers were refused by, warn leaves out what needs no look."`
	SiteName       string        `name:"site_name" default:"Twinlock" accept:"1..60" help:"The name of the site on pages, in letters and in authenticator apps."`
	Edition        Edition       `name:"edition" default:"on-premise" accept:"on-premise|cloud" help:"Whether the administrator activates plug-ins on the Plugins page, or the operator names them here."`
	Plugins        Grants        `name:"plugins" help:"The plug-ins that are active in the cloud edition, and for whom."`
	Registration   Registration  `name:"registration" default:"open" accept:"open|invited|closed" section:"Who may come in" help:"Who creates accounts: everybody, whoever was invited, or administrators alone; set here, it cannot be changed in the administration."`
	MailDomains    Domains       `name:"registration_domains" help:"The mail domains whose addresses may sign up, and to which an account may be moved in its settings; unset, all may."`
	SMTP           MailServer    `name:"smtp_url" section:"Letters" help:"The mail server that takes the letters; unset, they are written to DATA/outbox as .eml files."`
	MailFrom       Mailbox       `name:"mail_from" help:"The sender of every letter; unset, no-reply at the host of public_url."`
	MailRetry      time.Duration `name:"mail_retry" default:"24h" accept:"1m..7d" help:"How long a letter is tried again before it is given up."`
	LettersPerHour int           `name:"letters_per_hour" default:"3" accept:"1..100" help:"How many letters with a link one address gets in an hour."`

	SessionIdle       time.Duration `name:"session_idle" default:"60m" accept:"1s..30d" section:"Sessions" help:"How long a session lives without a request of the person's own; never above session_overall."`
	IdleNotice        time.Duration `name:"idle_notice" default:"2m" accept:"1s..1h" help:"How long before the idle limit the page offers to stay signed in; always below session_idle."`
	SessionOverall    time.Duration `name:"session_overall" default:"24h" accept:"1s..90d" help:"How long a session lives after its full login, whatever happens."`
	OpenWindow        time.Duration `name:"open_window" default:"24h" accept:"0|1s..90d" help:"How long after the last code a window that stayed open may come back with the password alone; 0 turns that off, and it is never above session_overall."`
	OpenWindowTries   int           `name:"open_window_tries" default:"5" accept:"1..20" help:"How many wrong passwords close a window that could have come back."`
	SessionsPerPerson int           `name:"sessions_per_user" default:"48" accept:"1..1000" help:"How many sessions one person may have at once; one more ends the oldest."`

	LoginTimeout   time.Duration `name:"login_timeout" default:"10m" accept:"1m..1h" section:"Steps that wait for somebody" help:"How long a begun login waits for its code."`
	SetupTimeout   time.Duration `name:"setup_timeout" default:"15m" accept:"1m..1h" help:"How long a begun set-up of two-factor authentication keeps its key."`
	PasskeyTimeout time.Duration `name:"passkey_timeout" default:"5m" accept:"1m..10m" help:"How long a page that asks for a passkey takes its answer."`
	Fresh          time.Duration `name:"fresh" default:"15m" accept:"1m..24h" help:"How long a password and a code stand for changing the password, the address or the factors."`
	ResetLink      time.Duration `name:"reset_link" default:"30m" accept:"5m..24h" help:"How long the link in a letter about a forgotten password works."`
	VerifyLink     time.Duration `name:"verify_link" default:"24h" accept:"5m..30d" help:"How long the link that confirms an address works."`
	UnlockLink     time.Duration `name:"unlock_link" default:"24h" accept:"5m..30d" help:"How long the link works that opens an account which too many failures closed."`
	InvitationLink time.Duration `name:"invitation_link" default:"24h" accept:"5m..30d" help:"How long the link in an invitation works."`

	PasswordMinimum   int           `name:"password_minimum" default:"12" accept:"8..64" section:"Passwords and codes" help:"The fewest characters of a new password; NIST SP 800-63B-4 asks for 15 where the password stands alone."`
	PasswordMaximum   int           `name:"password_maximum" default:"256" accept:"64..256" help:"The most characters of a new password."`
	PasswordScore     int           `name:"password_score" default:"3" accept:"1..4" help:"How hard to guess a new password has to be, by zxcvbn's estimate of up to 4."`
	OnReset           OnReset       `name:"on_password_reset" default:"reset" accept:"reset|keep" help:"Whether setting a forgotten password anew also removes the second factors, or asks for a code and keeps them."`
	OnResetAdmins     OnReset       `name:"on_password_reset_administrators" default:"reset" accept:"reset|keep" help:"The same for administrators."`
	RecoveryCodes     int           `name:"recovery_codes" default:"10" accept:"4..50" help:"How many recovery codes are made at a time."`
	RecoveryCodesFew  int           `name:"recovery_codes_few" default:"3" accept:"0..10" help:"With how many recovery codes left a person is asked to make new ones; always below recovery_codes."`
	PasskeysPerPerson int           `name:"passkeys_per_user" default:"20" accept:"1..100" help:"How many passkeys one person may have."`
	PasskeyOffer      time.Duration `name:"passkey_offer" default:"30d" accept:"0|1d..365d" help:"How long after a passkey was offered to somebody who logged in with a code of an authenticator app it is offered again; 0 never offers one."`
	HashSlots         int           `name:"hash_slots" default:"0" accept:"0..256" help:"How many passwords are hashed at once; 0 means as many as there are processor cores."`
	HashMemory        int           `name:"hash_memory" default:"19" accept:"7..256" help:"How much memory, in MiB, the hash of a password or a recovery code takes (Argon2id, one lane); with hash_passes never less work than OWASP asks for, and never more than 1024 MiB over all passes."`
	HashPasses        int           `name:"hash_passes" default:"2" accept:"1..64" help:"How often such a hash goes through that memory."`
	HashWait          time.Duration `name:"hash_wait" default:"5s" accept:"1s..15s" help:"How long a login waits for its turn to be hashed before it is asked to come back."`

	ThrottleFree        int           `name:"throttle_free" default:"5" accept:"1..20" section:"Wrong tries" help:"How many wrong passwords, or wrong codes, in a row cost no wait."`
	ThrottleFirstWait   time.Duration `name:"throttle_first_wait" default:"1s" accept:"1s..15m" help:"The first wait after those; each further failure doubles it."`
	ThrottleLongestWait time.Duration `name:"throttle_longest_wait" default:"15m" accept:"1s..24h" help:"The longest wait."`
	ThrottleClosed      int           `name:"throttle_closed" default:"100" accept:"10..100" help:"How many failures in a row close the door until a mailed link or an administrator opens it; NIST SP 800-63B-4 allows 100."`
	ThrottleNetwork     int           `name:"throttle_network" default:"20" accept:"5..10000" help:"How many failures of one network address, and how many new addresses that one account asks to change to, within throttle_network_within cost no wait."`
	ThrottleNetworkIPv6 int           `name:"throttle_network_ipv6" default:"64" accept:"32..128" help:"How many bits of an IPv6 address are one network address."`
	ThrottleNetworkSpan time.Duration `name:"throttle_network_within" default:"15m" accept:"1m..24h" help:"How long the failures of a network address count."`
	ThrottleRequests    int           `name:"throttle_requests" default:"200" accept:"20..100000" help:"How many sign-ups, and apart from them how many requests for a new password, one network address sends within throttle_network_within before it waits."`
	WrongCodes          int           `name:"wrong_codes" default:"5" accept:"1..20" help:"How many wrong codes end a begun login."`
	WrongCodesInAll     int           `name:"wrong_codes_in_all" default:"50" accept:"10..1000" help:"How many wrong codes within wrong_codes_within, whatever succeeded in between, ask for a new password."`
	WrongCodesInAllSpan time.Duration `name:"wrong_codes_within" default:"30d" accept:"1d..90d" help:"How long wrong codes count towards wrong_codes_in_all."`

	AuthorizationCode time.Duration `name:"authorization_code" default:"60s" accept:"10s..10m" section:"Applications that sign in here" help:"How long the code that an application gets by way of the browser waits to be exchanged."`
	AccessToken       time.Duration `name:"access_token" default:"10m" accept:"1m..1h" help:"How long an access token works, and an ID token is good."`
	SigningKey        time.Duration `name:"signing_key" default:"90d" accept:"1h..400d" help:"How long a key signs what applications are told; the next one is published up to a day before it signs, and the old one kept as long as anything signed with it counts."`
	RefreshToken      time.Duration `name:"refresh_token" default:"30d" accept:"1h..400d" help:"How long an application may go on by refresh tokens after a login, however often it uses them."`

	NoticeNetworks Networks `name:"logout_notice_networks" help:"The private networks in which applications are told of logouts under their names, such as 10.0.0.0/8; unset, a name has to lead to a public address, and only an address that an administrator typed itself may be private."`

	EventsKept   time.Duration `name:"events_kept" default:"400d" accept:"1d..3650d" section:"Records" help:"How long events are kept."`
	SessionsKept time.Duration `name:"sessions_kept" default:"30d" accept:"1d..400d" help:"How long ended sessions are kept."`

	places map[string]string
}

// Registration says who creates accounts.
type Registration string

const (
	Open    Registration = "open"    // everybody
	Invited Registration = "invited" // whoever was invited
	Closed  Registration = "closed"  // administrators alone
)

// LogFormat says how the log is written.
type LogFormat string

const (
	JSON LogFormat = "json"
	Text LogFormat = "text"
)

// LogLevel is the least that the log tells, in the words of log/slog.
type LogLevel string

// Edition says who decides about plug-ins.
type Edition string

const (
	OnPremise Edition = "on-premise" // the administrator, on the Plugins page
	Cloud     Edition = "cloud"      // the operator, with the setting plugins
)

// OnReset says what a new password after a forgotten one does to the second
// factors.
type OnReset string

const (
	ResetFactors OnReset = "reset" // removes them, unless a code is given
	KeepFactors  OnReset = "keep"  // keeps them, and a code must be given
)

// Given tells whether the operator chose the setting of this name by a flag,
// the environment or the file. What was given binds: the administration shows
// it and cannot change it.
func (c Config) Given(name string) bool {
	_, ok := c.places[name]
	return ok
}
