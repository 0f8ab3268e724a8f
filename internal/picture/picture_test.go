package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

func drawn(wide, high int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, wide, high))
	for x := range wide {
		for y := range high {
			m.Set(x, y, color.NRGBA{R: 200, G: uint8(x), B: uint8(y), A: 255})
		}
	}
	return m
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestALogoIsDrawnAnewAtItsSize(t *testing.T) {
	wide, high := drawn(300, 100), drawn(10, 40)
	for name, upload := range map[string][]byte{
		"PNG, wide":  encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, wide) }),
		"JPEG, wide": encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, wide, nil) }),
		"GIF, high":  encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, high, nil) }),
	} {
		logo, err := Logo(upload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := png.Decode(bytes.NewReader(logo))
		if err != nil || m.Bounds() != image.Rect(0, 0, Side, Side) {
			t.Errorf("%s: %v, %v", name, m.Bounds(), err)
			continue
		}
		if _, _, _, alpha := m.At(Side/2, Side/2).RGBA(); alpha < 0xf000 {
			t.Errorf("%s: nothing is drawn in the middle", name)
		}
		if _, _, _, alpha := m.At(0, 0).RGBA(); alpha != 0 {
			t.Errorf("%s: the corner beside the picture is not transparent", name)
		}
	}
}

// A program that hides behind a picture, a comment and a place do not come
// through: nothing of the upload's bytes does.
func TestNothingOfTheUploadComesThrough(t *testing.T) {
	const hidden = "<script>alert(1)</script>"
	upload := append(encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, drawn(64, 64)) }), hidden...)
	logo, err := Logo(upload)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(logo, []byte(hidden)) {
		t.Error("what followed the picture is in the logo")
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	whole := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, drawn(64, 64)) })
	for name, upload := range map[string][]byte{
		"nothing":      nil,
		"a drawing":    []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a page":       []byte("<!doctype html><p>hello"),
		"half of one":  whole[:len(whole)/2],
		"its head":     whole[:33],
		"another word": []byte("GIF89a"),
	} {
		if _, err := Logo(upload); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want %v", name, err, ErrFormat)
		}
	}
}

// A few bytes describe a picture that would fill the memory.
func TestAPictureThatUnpacksWithoutEndIsRefusedUnseen(t *testing.T) {
	bomb := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, drawn(1, 1)) })
	head := bomb[12:29] // the chunk IHDR
	binary.BigEndian.PutUint32(head[4:], 60_000)
	binary.BigEndian.PutUint32(head[8:], 60_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(head))
	if _, err := Logo(bomb); !errors.Is(err, ErrLarge) {
		t.Errorf("%v, want %v", err, ErrLarge)
	}
}

func FuzzALogoIsAPNGOrAnError(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, drawn(4, 4)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, upload []byte) {
		logo, err := Logo(upload)
		if err != nil {
			return
		}
		if _, err := png.Decode(bytes.NewReader(logo)); err != nil {
			t.Errorf("the logo cannot be read: %v", err)
		}
	})
}
