// Package picture makes small pictures of what people upload.
//
// What it gives was drawn anew, dot by dot: nothing of the upload's own bytes,
// no comment, place or program in it, comes through.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // formats that are read
	_ "image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

var (
	// ErrFormat is returned for what is no PNG, JPEG, GIF or WebP picture, or
	// a damaged one. Drawings that are programs, such as SVG, are none.
	ErrFormat = errors.New("no picture in a known format")
	// ErrLarge is returned for more dots than a logo has.
	ErrLarge = errors.New("a picture of too many dots")
)

const (
	// Side is the width and height of a logo in dots.
	Side = 128
	// mostSide bounds what is unpacked: a few bytes can describe a picture that
	// fills the memory. 4,096 by 4,096 dots take 64 MiB.
	mostSide = 4096
)

// Logo reads a picture and gives it as a PNG of [Side] by [Side] dots, scaled to
// fit and centred on a transparent ground. Of an animation it takes the first
// frame. Safe for concurrent use; it takes up to some tenths of a second and
// 80 MiB, so callers do one at a time.
func Logo(upload []byte) ([]byte, error) {
	described, _, err := image.DecodeConfig(bytes.NewReader(upload))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if described.Width > mostSide || described.Height > mostSide {
		return nil, ErrLarge
	}
	picture, _, err := image.Decode(bytes.NewReader(upload))
	if err != nil || picture.Bounds().Empty() {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	logo := image.NewNRGBA(image.Rect(0, 0, Side, Side))
	draw.CatmullRom.Scale(logo, fitted(picture.Bounds()), picture, picture.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, logo); err != nil {
		return nil, fmt.Errorf("encode logo: %w", err)
	}
	return out.Bytes(), nil
}

// fitted is the largest rectangle of the shape of b within a logo, centred.
func fitted(b image.Rectangle) image.Rectangle {
	longer := max(b.Dx(), b.Dy())
	wide, high := max(1, b.Dx()*Side/longer), max(1, b.Dy()*Side/longer)
	x, y := (Side-wide)/2, (Side-high)/2
	return image.Rect(x, y, x+wide, y+high)
}
