package config

// A Shown setting is a value and where it came from.
type Shown struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as somebody would write it, without its secrets
	From  string `json:"from"`  // "default", "twinlock.toml:3", "environment" or "flag"
}

// Show lists every setting in the order of the documentation.
func (c Config) Show() []Shown {
	var all []Shown
	for _, s := range Settings {
		from := c.places[s.Name]
		if from == "" {
			from = "default"
		}
		all = append(all, Shown{s.Name, s.show(c), from})
	}
	return all
}
