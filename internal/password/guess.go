package password

import (
	"math"
	"unicode"
)

// How many guesses a password takes, as zxcvbn counts them (Daniel Wheeler's, in
// its first form, which adds up bits): a guessing program knows words, rows of
// keys, repeats, sequences and dates, and tries the cheapest way to put a
// password together from them and from single characters. A test holds what is
// counted here against the library ccojocar/zxcvbn-go.

// pattern is the stretch text[from:to] of a password that a guessing program
// knows, and how many bits it takes to say which of its kind it is.
type pattern struct {
	from, to int
	bits     float64
}

// guessScore gives, from 0 to 4, how long a hundred processors take for the
// password at a hundredth of a second a guess: under 100 seconds, three hours,
// twelve days, three years, or longer. own are words that are tried first.
func guessScore(password string, own []string) int {
	const perSecond = 100 / 0.010
	seconds := math.Exp2(guessBits([]rune(password), own)) / 2 / perSecond
	for score, limit := range []float64{1e2, 1e4, 1e6, 1e8} {
		if seconds < limit {
			return score
		}
	}
	return 4
}

// guessBits gives the bits of the cheapest way to put text together.
func guessBits(text []rune, own []string) float64 {
	ending := make([][]pattern, len(text)+1)
	for _, p := range patterns(text, own) {
		ending[p.to] = append(ending[p.to], p)
	}
	single := math.Log2(alphabet(text))
	bits := make([]float64, len(text)+1)
	for end := 1; end <= len(text); end++ {
		bits[end] = bits[end-1] + single
		for _, p := range ending[end] {
			bits[end] = min(bits[end], bits[p.from]+p.bits)
		}
	}
	return bits[len(text)]
}

// alphabet is how many characters somebody tries who knows which kinds text has.
func alphabet(text []rune) float64 {
	var small, large, digits, signs float64
	for _, r := range text {
		switch {
		case unicode.IsLower(r):
			small = 26
		case unicode.IsDigit(r):
			digits = 10
		case unicode.IsUpper(r):
			large = 26
		default:
			signs = 33
		}
	}
	return small + large + digits + signs
}

// patterns finds everything in text that a guessing program knows.
func patterns(text []rune, own []string) []pattern {
	found := knownWords(text, own)
	for _, k := range keyboards() {
		found = append(found, k.walks(text)...)
	}
	found = append(found, repeats(text)...)
	found = append(found, sequences(text)...)
	return append(found, dates(text)...)
}

// knownWords finds the words of the list and the person's own.
func knownWords(text []rune, own []string) (found []pattern) {
	ranks := map[string]int{}
	longest := longestWord
	for i, word := range own {
		ranks[word] = i + 1
		longest = max(longest, len([]rune(word)))
	}
	small := make([]rune, len(text))
	for i, r := range text {
		small[i] = unicode.ToLower(r)
	}
	for from := range small {
		for to := from + 1; to <= min(len(small), from+longest); to++ {
			word := string(small[from:to])
			rank := ranked(shippedWords).rank(word)
			if mine := ranks[word]; mine > 0 && (rank == 0 || mine < rank) {
				rank = mine
			}
			if rank > 0 {
				found = append(found, pattern{from, to, math.Log2(float64(rank)) + capitals(text[from:to])})
			}
		}
	}
	return found
}

// capitals gives the bits of which letters of a word are capitals. At its
// beginning, at its end and throughout is what everybody tries first.
func capitals(word []rune) float64 {
	var large, small int
	for _, r := range word {
		if unicode.IsUpper(r) {
			large++
		} else if unicode.IsLower(r) {
			small++
		}
	}
	atEdge := large == 1 && (unicode.IsUpper(word[0]) || unicode.IsUpper(word[len(word)-1]))
	switch {
	case large == 0:
		return 0
	case atEdge || large == len(word):
		return 1
	}
	return math.Log2(choices(large, small))
}

// choices is in how many ways up to the smaller of a and b things can be chosen
// among a+b.
func choices(a, b int) (sum float64) {
	for k := range min(a, b) + 1 {
		sum += choose(a+b, k)
	}
	return sum
}

// choose is the binomial coefficient.
func choose(n, k int) float64 {
	if k > n {
		return 0
	}
	ways := 1.0
	for i := range k {
		ways = ways * float64(n-i) / float64(i+1)
	}
	return ways
}

// repeats finds characters three times and more.
func repeats(text []rune) (found []pattern) {
	for from := 0; from < len(text); {
		to := from + 1
		for to < len(text) && unicode.ToLower(text[to]) == unicode.ToLower(text[to-1]) {
			to++
		}
		if to-from > 2 {
			found = append(found, pattern{from, to, math.Log2(alphabet(text[from:to]) * float64(to-from))})
		}
		from = to
	}
	return found
}

// sequences finds letters and digits that go up or down by one.
func sequences(text []rune) (found []pattern) {
	for from := 0; from < len(text); {
		to, step := from+1, rune(0)
		if to < len(text) {
			step = text[to] - text[from]
		}
		for (step == 1 || step == -1) && to < len(text) && text[to]-text[to-1] == step && series(text[to]) == series(text[from]) && series(text[from]) > 0 {
			to++
		}
		if to-from > 2 {
			found = append(found, pattern{from, to, sequenceStart(text[from], step) + math.Log2(float64(to-from))})
		}
		from = to
	}
	return found
}

// series is the first of the letters or digits that r is one of; 0 for signs.
func series(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return 'a'
	case 'A' <= r && r <= 'Z':
		return 'A'
	case '0' <= r && r <= '9':
		return '0'
	}
	return 0
}

// sequenceStart gives the bits of where a sequence begins and which way it goes.
func sequenceStart(first, step rune) (bits float64) {
	switch {
	case first == 'a' || first == '1':
	case series(first) == '0':
		bits = math.Log2(10)
	case series(first) == 'A':
		bits = math.Log2(26) + 1
	default:
		bits = math.Log2(26)
	}
	if step < 0 {
		bits++
	}
	return bits
}
