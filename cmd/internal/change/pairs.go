package change

import "strings"

// Pair is PTR:=JSON or, where Text says so, PTR=TEXT.
type Pair struct {
	Place, Value string
	Text         bool
}

// Pairs reads words of which every one is a pair that begins with / or .; it is nil
// where one is not, so that a key with = in it can be named as ever, beside its value.
func Pairs(words []string) []Pair {
	var pairs []Pair
	for _, word := range words {
		p, ok := pairOf(word)
		if !ok {
			return nil
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// pairOf takes a word apart at the first = that stands behind a place.
func pairOf(word string) (Pair, bool) {
	if !strings.HasPrefix(word, "/") && !strings.HasPrefix(word, ".") {
		return Pair{}, false
	}
	for i := range len(word) {
		if word[i] != '=' {
			continue
		}
		place, json := strings.CutSuffix(word[:i], ":")
		if _, err := Place(place); err == nil {
			return Pair{place, word[i+1:], !json}, true
		}
	}
	return Pair{}, false
}
