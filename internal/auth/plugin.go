package auth

import "slices"

// PluginID names a plug-in on the command line and in the settings.
type PluginID string

const (
	// TwoFactorPlugin is login with a changing code from a smartphone app.
	TwoFactorPlugin PluginID = "two-factor"
	// PasskeysPlugin is login with a passkey.
	PasskeysPlugin PluginID = "passkeys"
	// OpenIDConnectPlugin signs people in to applications that ask us.
	OpenIDConnectPlugin PluginID = "openid-connect"
	// ForwardAuthPlugin signs people in to applications whose proxy asks us.
	ForwardAuthPlugin PluginID = "forward-auth"
)

// Plugin describes what is compiled in. Which plug-ins are active, and for
// whom, is data: see [Activation].
type Plugin struct {
	ID      PluginID
	Version string
	Needs   []PluginID // what it depends on
}

// Plugins are all plug-ins of this program, in the order of the page.
var Plugins = []Plugin{
	{ID: TwoFactorPlugin, Version: "1.0.0"},
	{ID: PasskeysPlugin, Version: "1.0.0"},
	{ID: OpenIDConnectPlugin, Version: "1.0.0"},
	{ID: ForwardAuthPlugin, Version: "1.0.0"},
}

// PluginByID finds a plug-in; false where the program has none of that name.
func PluginByID(id PluginID) (Plugin, bool) {
	i := slices.IndexFunc(Plugins, func(p Plugin) bool { return p.ID == id })
	if i < 0 {
		return Plugin{}, false
	}
	return Plugins[i], true
}

// Activation is the state of one plug-in: whether it works at all, and for
// whom. Active with nobody named is enabled for nobody.
type Activation struct {
	Plugin   PluginID
	Active   bool
	Everyone bool
	Groups   []GroupID
	Users    []UserID
}

// IsForSomebody tells whether anybody is named, or everyone.
func (a Activation) IsForSomebody() bool {
	return a.Everyone || len(a.Groups)+len(a.Users) > 0
}

// IsActive tells whether a plug-in works for anybody.
func IsActive(all []Activation, id PluginID) bool {
	i := slices.IndexFunc(all, func(a Activation) bool { return a.Plugin == id })
	return i >= 0 && all[i].Active
}

// EnabledFor tells whether the plug-in works for a person in these groups.
func (a Activation) EnabledFor(u UserID, groups []GroupID) bool {
	if !a.Active {
		return false
	}
	return a.Everyone || slices.Contains(a.Users, u) ||
		slices.ContainsFunc(groups, func(g GroupID) bool { return slices.Contains(a.Groups, g) })
}

// Enablement is one entry of the operator's settings: a plug-in works for everyone,
// or for the group or the person that is named. A name that nobody has yet is
// nobody, until somebody gets it.
type Enablement struct {
	Plugin PluginID
	Group  string `json:",omitempty"` // its name
	User   string `json:",omitempty"` // a canonical address
}

// String is the entry as the settings spell it.
func (e Enablement) String() string {
	switch {
	case e.Group != "":
		return string(e.Plugin) + ":group=" + e.Group
	case e.User != "":
		return string(e.Plugin) + ":user=" + e.User
	}
	return string(e.Plugin)
}
