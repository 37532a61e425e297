package jsonpatch

import "sort"

// Contents finds the entries of a container by their numbers, in strict JSON that is
// known to be valid. It is small beside the text, and going through the entries in
// either order takes time in proportion to the text.
type Contents struct {
	text []byte
	at   int // where the container begins
	n    int
	// marks are the places behind the value before each stride-th entry.
	marks []int
	last  Entry // the one that was looked up last
	lastN int   // its number, -1 for none
}

// stride is how many entries lie between two that are remembered.
const stride = 32

// ContentsOf reads the container that begins at text[at].
func ContentsOf(text []byte, at int) *Contents {
	c := &Contents{text: text, at: at, lastN: -1}
	for i := at + 1; ; c.n++ {
		if c.n%stride == 0 {
			c.marks = append(c.marks, i)
		}
		e, ok := Next(text, at, i)
		if !ok {
			return c
		}
		i = e.Hi
	}
}

// Len is the number of entries.
func (c *Contents) Len() int { return c.n }

// Entry is the i-th one, from 0.
func (c *Contents) Entry(i int) Entry {
	n, from := i-i%stride, c.marks[i/stride]
	if c.lastN < i && c.lastN >= n {
		n, from = c.lastN+1, c.last.Hi
	}
	for ; n < i; n++ {
		e, _ := Next(c.text, c.at, from)
		from = e.Hi
	}
	c.last, _ = Next(c.text, c.at, from)
	c.lastN = i
	return c.last
}

// Name is the name of the i-th member.
func (c *Contents) Name(i int) string { return unquote(c.Entry(i).Name) }

// Find is the number of the entry whose value begins at a place.
func (c *Contents) Find(lo int) int {
	i := max(0, sort.Search(len(c.marks), func(k int) bool { return c.marks[k] > lo })-1) * stride
	if c.lastN > i && c.last.Lo <= lo {
		i = c.lastN
	}
	for i < c.n && c.Entry(i).Lo < lo {
		i++
	}
	return i
}
