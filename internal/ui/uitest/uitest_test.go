package uitest

import (
	"strings"
	"testing"
)

const sound = `<!doctype html><html lang="en"><head><title>T</title><link rel="stylesheet" href="/a.css"></head>
<body><main><h1>T</h1><form method="post" action="/x"><label for="e">Email</label><input id="e" name="email"><button>Send</button></form></main></body></html>`

func TestASoundPageHasNoProblems(t *testing.T) {
	if got := Problems([]byte(sound)); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestEachProblemIsSeen(t *testing.T) {
	for want, change := range map[string][2]string{
		"before the doctype": {"<!doctype", "T<!doctype"},
		"closes":             {"</form>", ""},
		"no label":           {`for="e"`, ""},
		"has no name":        {">Send<", "><"},
		"secret back":        {`name="email"`, `name="p" type="password" value="x"`},
		"given 2 times":      {"<h1>", `<h1 id="e">`},
		"leads nowhere":      {`name="email"`, `name="email" aria-describedby="gone"`},
		"attribute style":    {"<h1>", `<h1 style="color:red">`},
		"attribute onclick":  {"<h1>", `<h1 onclick="x()">`},
		"into the page":      {"<h1>", `<script>x()</script><h1>`},
		"0 <h1>":             {"<h1>T</h1>", ""},
		"its language":       {` lang="en"`, ""},
		"where it goes":      {` action="/x"`, ""},
		"not safe":           {`action="/x"`, `action="#ZgotmplZ"`},
		"#gone leads":        {"<h1>", `<a href="#gone">x</a><h1>`},
		"or pattern":         {`name="email"`, `name="email" maxlength="6"`},
		"<title> is empty":   {"<title>T", "<title>"},
	} {
		t.Run(want, func(t *testing.T) {
			changed := strings.Replace(sound, change[0], change[1], 1)
			if got := strings.Join(Problems([]byte(changed)), "\n"); !strings.Contains(got, want) {
				t.Errorf("%q was not seen, but %q", want, got)
			}
		})
	}
}
