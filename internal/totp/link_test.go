package totp

import (
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLink(t *testing.T) {
	const parameters = "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ISSUER&algorithm=SHA1&digits=6&period=30"
	for _, tt := range []struct{ name, issuer, account, label string }{
		{"plain", "Twinlock", "ada@example.com", "Twinlock:ada%40example.com"},
		{"spaces", "My House", "Ada Lovelace", "My%20House:Ada%20Lovelace"},
		{"a plus", "A+B", "ada+door@example.com", "A%2BB:ada%2Bdoor%40example.com"},
		{"a colon", "Acme: Staff", "a:b", "Acme%20Staff:a%20b"},
		{"another parameter", "A&secret=AAAA", "x&secret=AAAA#y", "A%26secret%3DAAAA:x%26secret%3DAAAA%23y"},
		{"a question mark", "Who?", "a?b", "Who%3F:a%3Fb"},
		{"a slash and a percent", "a/b", "50%", "a%2Fb:50%25"},
		{"line ends", "A\r\nB", "a\n\nb\x00", "A%20B:a%20b"},
		{"outer spaces", "  A  ", "\ta\t", "A:a"},
		{"emoji of several parts", "🏠", "👩‍🚀", "%F0%9F%8F%A0:%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80"},
		{"turned round", "A\u202eB", "a\u200bb", "AB:ab"},
		{"not UTF-8", "A\xff", "\xfea", "A:a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			issuer, _, _ := strings.Cut(tt.label, ":")
			want := "otpauth://totp/" + tt.label + strings.Replace(parameters, "ISSUER", issuer, 1)
			if got := Link(rfcKey(t), tt.issuer, tt.account); got != want {
				t.Errorf("Link(%q, %q)\n = %s\nwant %s", tt.issuer, tt.account, got, want)
			}
		})
	}
}

func TestALongNameIsCutBetweenItsCharacters(t *testing.T) {
	link, err := url.Parse(Link(rfcKey(t), strings.Repeat("ä", 200), strings.Repeat("漢", 200)))
	if err != nil {
		t.Fatal(err)
	}
	issuer, account, _ := strings.Cut(strings.TrimPrefix(link.Path, "/"), ":")
	for name, want := range map[string]string{issuer: "ä", account: "漢"} {
		kept := strings.TrimSuffix(name, "…")
		if kept == name || strings.Trim(kept, want) != "" || utf8.RuneCountInString(kept) < 15 {
			t.Errorf("a long name became %q", name)
		}
	}
	if got := Link(rfcKey(t), "A", strings.Repeat("a", 240)); strings.Contains(got, url.QueryEscape("…")) {
		t.Errorf("a name that fits was cut: %s", got)
	}
}

func FuzzLink(f *testing.F) {
	for _, seed := range [][2]string{
		{"Twinlock", "ada@example.com"}, {"", ""}, {":", ":"}, {"a:b", "c:d"}, {"&secret=AAAA", "?issuer=x"},
		{"\n", "%0a"}, {"😀", strings.Repeat("😀", 200)}, {"+", " + "}, {"\xff", "\u202e"}, {"#", "/../"}, {"a\u200d", "\u2028"},
	} {
		f.Add(seed[0], seed[1])
	}
	key := NewKey()
	f.Fuzz(func(t *testing.T, issuer, account string) {
		typed := Link(key, issuer, account)
		link, err := url.Parse(typed)
		if err != nil {
			t.Fatalf("%s: %v", typed, err)
		}
		if link.Scheme != "otpauth" || link.Host != "totp" || link.User != nil || link.Fragment != "" {
			t.Fatalf("%s has parts that are not its own", typed)
		}
		if strings.ContainsFunc(typed, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' }) || strings.Contains(typed, "+") {
			t.Fatalf("%s is not encoded", typed)
		}
		want := url.Values{
			"secret": {key.Text()}, "issuer": {link.Query().Get("issuer")},
			"algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"},
		}
		if link.Query().Encode() != want.Encode() {
			t.Fatalf("%s has other parameters than ours", typed)
		}
		label := strings.Split(strings.TrimPrefix(link.Path, "/"), ":")
		if len(label) != 2 || label[0] != link.Query().Get("issuer") {
			t.Fatalf("%s: the label is %q", typed, label)
		}
		if again := Link(key, label[0], label[1]); again != typed {
			t.Fatalf("the names of %s give %s", typed, again)
		}
		if len(typed) > 700 {
			t.Fatalf("a link of %d bytes is too fine to scan", len(typed))
		}
	})
}

func TestQRCodeIsReadByAScanner(t *testing.T) {
	for name, account := range map[string]string{
		"an address":       "ada@example.com",
		"Vietnamese":       "Nguyễn Thị Ánh Nguyệt",
		"hostile":          "x&secret=AAAA?issuer=evil\n:%0a",
		"200 letters":      strings.Repeat("a", 200),
		"200 emoji":        strings.Repeat("😀", 200),
		"nothing whatever": "",
	} {
		t.Run(name, func(t *testing.T) {
			link := Link(NewKey(), "My House", account)
			svg, err := QR(link)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "qr.png")
			writePNG(t, file, svg)
			read, err := exec.Command("zbarimg", "--quiet", "--raw", file).Output()
			if err != nil {
				t.Fatalf("zbarimg: %v", err)
			}
			if got := strings.TrimSuffix(string(read), "\n"); got != link {
				t.Errorf("the scanner reads\n     %s\nwant %s", got, link)
			}
		})
	}
}

// picture is what a QR code may consist of: a box, a plate and one path.
type picture struct {
	ViewBox string     `xml:"viewBox,attr"`
	Other   []xml.Attr `xml:",any,attr"`
	Plate   struct {
		Width  int    `xml:"width,attr"`
		Height int    `xml:"height,attr"`
		Fill   string `xml:"fill,attr"`
	} `xml:"rect"`
	Path []struct {
		D     string     `xml:"d,attr"`
		Fill  string     `xml:"fill,attr"`
		Other []xml.Attr `xml:",any,attr"`
	} `xml:"path"`
}

func parse(t *testing.T, svg string) (p picture) {
	t.Helper()
	if err := xml.Unmarshal([]byte(svg), &p); err != nil {
		t.Fatalf("the picture is no SVG: %v", err)
	}
	return p
}

var rectangle = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// writePNG draws the plate in white on black, as on a dark page, and the path
// upon it, four pixels a module.
func writePNG(t *testing.T, file, svg string) {
	t.Helper()
	const scale = 4
	p := parse(t, svg)
	img := image.NewGray(image.Rect(0, 0, (p.Plate.Width+8)*scale, (p.Plate.Height+8)*scale))
	fill := func(x, y, width, height int, shade uint8) {
		for i := range width * scale {
			for j := range height * scale {
				img.SetGray((x+4)*scale+i, (y+4)*scale+j, color.Gray{Y: shade})
			}
		}
	}
	fill(0, 0, p.Plate.Width, p.Plate.Height, 255)
	for _, m := range rectangle.FindAllStringSubmatch(p.Path[0].D, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		fill(x, y, width, 1, 0)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := png.Encode(out, img); err != nil {
		t.Fatal(err)
	}
}

func TestQRCodeStandsOnAWhitePlateWithAQuietZone(t *testing.T) {
	svg, err := QR(Link(NewKey(), "Twinlock", "ada@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, svg)
	side := p.Plate.Width
	box := strings.Join([]string{"0 0", strconv.Itoa(side), strconv.Itoa(side)}, " ")
	if p.Plate.Height != side || p.ViewBox != box || p.Plate.Fill != "#fff" {
		t.Errorf("a plate of %d by %d in %s, in a box of %q", side, p.Plate.Height, p.Plate.Fill, p.ViewBox)
	}
	if len(p.Path) != 1 || p.Path[0].Fill != "#000" || rectangle.ReplaceAllString(p.Path[0].D, "") != "" {
		t.Fatalf("the modules are not one black path: %s", svg)
	}
	low, high := side, 0
	for _, m := range rectangle.FindAllStringSubmatch(p.Path[0].D, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		low, high = min(low, x, y), max(high, x+width, y+1)
		if m[3] != m[4] {
			t.Errorf("a run goes %s forward and %s back", m[3], m[4])
		}
	}
	if low != 4 || high != side-4 {
		t.Errorf("modules reach from %d to %d of %d, want four free on every side", low, high, side)
	}
	for _, attribute := range append(p.Other, p.Path[0].Other...) {
		switch attribute.Name.Local {
		case "style", "width", "height", "role", "aria-label", "class", "id":
			t.Errorf("the picture sets %s, which is the page's to say", attribute.Name.Local)
		}
	}
}

func TestALinkThatIsTooLongIsNotDrawn(t *testing.T) {
	if svg, err := QR(strings.Repeat("x", 3000)); err == nil {
		t.Errorf("3000 bytes were drawn: %.80s", svg)
	}
}
