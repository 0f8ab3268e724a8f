package store

// Treatment is what a backup and a restore do with a table.
type Treatment string

const (
	// Carried rows are in a backup, and a restore puts them in the place of those
	// at hand.
	Carried Treatment = "carried"
	// Added rows are in a backup, and a restore adds them to those at hand.
	Added Treatment = "added"
	// Voided tables are not in a backup, and a restore empties them.
	Voided Treatment = "voided"
	// Left tables are not in a backup, and a restore does not touch them.
	Left Treatment = "left"
)

// Table is one table of the schema.
type Table struct {
	Name string
	Treatment
	Why string // where it is not simply carried
}

// Tables are all tables, parents before their children. A test holds every
// table of the schema to be here: whoever makes one decides what a restore, a
// travel in time, does with it. Whatever lets somebody in, or is on its way to
// that, is voided.
var Tables = []Table{
	{"settings", Carried, ""},
	{"users", Carried, ""},
	{"groups", Carried, ""},
	{"memberships", Carried, ""},
	{"authenticators", Carried, ""},
	{"passkeys", Carried, ""},
	{"recovery_sets", Carried, ""},
	{"recovery_codes", Carried, ""},
	{"plugins", Carried, ""},
	{"plugin_groups", Carried, ""},
	{"plugin_users", Carried, ""},
	{"applications", Carried, ""},
	{"application_groups", Carried, ""},
	{"application_users", Carried, ""},
	{"application_origins", Carried, ""},
	{"application_rules", Carried, ""},
	{"clients", Carried, ""},
	{"client_addresses", Carried, ""},
	{"signing_keys", Carried, ""},
	{"sign_ins", Carried, ""},
	{"logos", Carried, ""},

	{"throttle", Added, "a door that failures closed meanwhile stays closed"},
	{"events", Added, "what was done since the backup was done"},

	{"sessions", Voided, "they may have been ended since; everybody logs in anew"},
	{"devices", Voided, "a browser may have been lost since; a full login makes it known again"},
	{"attempts", Voided, "a login on its way is begun anew"},
	{"links", Voided, "they may have been used since"},
	{"signups", Voided, "they may have been finished or refused since"},
	{"consents", Voided, "they may have been withdrawn since; people are asked anew"},
	{"grants", Voided, "they end with the sessions"},
	{"tokens", Voided, "they end with the sessions"},
	{"logout_notices", Voided, "they were given, or are about sessions that are void"},
	{"application_sessions", Voided, "they end with the sessions"},
	{"hand_overs", Voided, "they are on their way for a minute"},
	{"letters", Voided, "they were sent, or carry a link that is void"},

	{"ceremonies", Left, "what was answered stays answered"},
	{"nodes", Left, "they are the servers at hand"},
	{"duties", Left, "they are the servers at hand"},
	{"clock", Left, "it is about the machine at hand"},
	{"goose_db_version", Left, "it is the schema's own"},
}

// InStep are the tables of each engine that triggers keep in step with another one:
// no backup has them, and whoever fills the other one fills them.
var InStep = map[bool][]string{
	false: {"search_people", "search_pieces", "search_pieces_data", "search_pieces_idx", "search_pieces_docsize", "search_pieces_config"},
	true:  {"search_people"}, // PostgreSQL
}
