package password

import (
	"math"
	"strings"
	"sync"
)

// keyboard is a layout, as far as somebody's fingers walk over it.
type keyboard struct {
	keys  map[rune]keycap
	steps [][2]int // where a key's neighbours are, in the order of the clock
	// What a program that walks has to choose from: keys to begin with, and
	// ways to go on, on the average.
	starts, ways float64
}

type keycap struct {
	x, y    int
	shifted bool
}

// keyboards are those whose walks are known. The ways to go on are what zxcvbn
// reckons with.
var keyboards = sync.OnceValue(func() []keyboard {
	slanted := [][2]int{{-1, 0}, {0, -1}, {1, -1}, {1, 0}, {0, 1}, {-1, 1}}
	square := [][2]int{{-1, 0}, {-1, -1}, {0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}}
	return []keyboard{
		{keysOf("`1234567890-=\n qwertyuiop[]\\\n asdfghjkl;'\n zxcvbnm,./", "~!@#$%^&*()_+\n QWERTYUIOP{}|\n ASDFGHJKL:\"\n ZXCVBNM<>?"), slanted, 94, 144.0 / 94},
		{keysOf("`1234567890[]\n ',.pyfgcrl/=\\\n aoeuidhtns-\n ;qjkxbmwvz", "~!@#$%^&*(){}\n \"<>PYFGCRL?+|\n AOEUIDHTNS_\n :QJKXBMWVZ"), slanted, 94, 144.0 / 94},
		{keysOf(" /*-\n789+\n456\n123\n 0.", ""), square, 15, 76.0 / 120},
		{keysOf(" =/*\n789-\n456+\n123\n 0.", ""), square, 15, 76.0 / 120},
	}
})

func keysOf(plain, shifted string) map[rune]keycap {
	keys := map[rune]keycap{}
	for _, layer := range []string{plain, shifted} {
		for y, row := range strings.Split(layer, "\n") {
			for x, r := range row {
				keys[r] = keycap{x, y, layer == shifted}
			}
		}
	}
	delete(keys, ' ')
	return keys
}

// walks finds three keys and more of which each is next to the one before.
func (k keyboard) walks(text []rune) (found []pattern) {
	for from := 0; from < len(text)-1; {
		to, turns, shifted, before := from+1, 0, 0, -1
		for ; to < len(text); to++ {
			way := k.way(text[to-1], text[to])
			if way < 0 {
				break
			}
			if way != before {
				turns, before = turns+1, way
			}
			if k.keys[text[to]].shifted {
				shifted++
			}
		}
		if to-from > 2 {
			found = append(found, pattern{from, to, k.walkBits(to-from, turns, shifted)})
		}
		from = to
	}
	return found
}

// way gives in which of the directions b is from a; -1 where it is not next to it.
func (k keyboard) way(a, b rune) int {
	here, known := k.keys[a]
	there, too := k.keys[b]
	if known && too {
		for i, step := range k.steps {
			if here.x+step[0] == there.x && here.y+step[1] == there.y {
				return i
			}
		}
	}
	return -1
}

// walkBits gives the bits of a walk over so many keys: of all that are no longer
// and turn no oftener, and of which keys are shifted.
func (k keyboard) walkBits(length, turns, shifted int) float64 {
	walks := 0.0
	for i := 2; i <= length+1; i++ {
		for j := 1; j <= min(turns, i-1)+1; j++ {
			walks += choose(i-1, j-1) * k.starts * math.Pow(k.ways, float64(j))
		}
	}
	return math.Log2(walks) + math.Log2(choices(shifted, length-shifted))
}
