package password

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// shippedWords are English words, names and passwords with how soon a guessing
// program comes to each, made by the command in list.go; words.ranked.LICENSE
// tells where they come from. It is looked up as it stands: unpacked, it would
// take ten times its size of memory, and most of the time that a server takes to
// start.
//
//go:embed words.ranked
var shippedWords string

// ranked is a sorted list of words with the rank of each, 1 for the first that is
// tried, in blocks of sixteen. It begins with the number of blocks and where each
// begins, four bytes each. A word is how much of its beginning it has in common
// with the word before it in its block and how much is new, four bits each
// (fifteen and more new bytes are counted in a further byte), what is new, and
// its rank in two bytes. All numbers are little endian.
type ranked string

const (
	wordsInBlock = 16
	longCount    = 15
)

// BuildWords makes the list that passwords are judged by, from lists that begin
// with the commonest word each. A word of several lists has its best rank. Words
// are of ASCII, since only such are looked up.
func BuildWords(lists ...[]string) ([]byte, error) {
	ranks := map[string]uint16{}
	for _, list := range lists {
		for i, word := range list {
			word = strings.ToLower(word)
			if i >= 1<<16-1 || !fits(word) {
				return nil, fmt.Errorf("word %d, %q, does not fit in", i+1, word)
			}
			if rank := uint16(i + 1); ranks[word] == 0 || ranks[word] > rank {
				ranks[word] = rank
			}
		}
	}
	if len(ranks) == 0 {
		return nil, errors.New("there is no word")
	}
	return pack(ranks), nil
}

func fits(word string) bool {
	return 0 < len(word) && len(word) <= longestWord && !strings.ContainsFunc(word, func(r rune) bool { return r >= 0x80 })
}

// longestWord is the most bytes of a word that is looked up.
const longestWord = 32

func pack(ranks map[string]uint16) []byte {
	var words []string
	for word := range ranks {
		words = append(words, word)
	}
	slices.Sort(words)
	blocks := slices.Collect(slices.Chunk(words, wordsInBlock))
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(blocks)))
	var body []byte
	for _, block := range blocks {
		head = binary.LittleEndian.AppendUint32(head, uint32(4+4*len(blocks)+len(body)))
		before := ""
		for _, word := range block {
			body = appendWord(body, before, word)
			body = binary.LittleEndian.AppendUint16(body, ranks[word])
			before = word
		}
	}
	return append(head, body...)
}

func appendWord(body []byte, before, word string) []byte {
	common := 0
	for common < min(len(before), len(word), longCount) && before[common] == word[common] {
		common++
	}
	added := word[common:]
	if len(added) < longCount {
		body = append(body, byte(common<<4|len(added)))
	} else {
		body = append(body, byte(common<<4|longCount), byte(len(added)))
	}
	return append(body, added...)
}

// rank gives the rank of a word of small letters; 0 where it is none of the list.
func (l ranked) rank(word string) int {
	n := int(l.number(0))
	block := sort.Search(n, func(i int) bool {
		_, first, _, _ := l[l.number(4+4*i):].next()
		return first > word
	})
	if block == 0 {
		return 0
	}
	at, end := l.number(4*block), uint32(len(l))
	if block < n {
		end = l.number(4 + 4*block)
	}
	return l[at:end].find(word)
}

func (l ranked) number(at int) uint32 {
	return uint32(l[at]) | uint32(l[at+1])<<8 | uint32(l[at+2])<<16 | uint32(l[at+3])<<24
}

// find goes through one block.
func (l ranked) find(word string) int {
	var letters [longestWord + longCount]byte
	here := letters[:0]
	for len(l) > 0 {
		common, added, rank, rest := l.next()
		here = append(here[:common], added...)
		if string(here) == word {
			return rank
		}
		l = rest
	}
	return 0
}

// next takes the first word off a block.
func (l ranked) next() (common int, added string, rank int, rest ranked) {
	common, long, begin := int(l[0]>>4), int(l[0]&0xf), 1
	if long == longCount {
		long, begin = int(l[1]), 2
	}
	end := begin + long
	return common, string(l[begin:end]), int(l[end]) | int(l[end+1])<<8, l[end+2:]
}
