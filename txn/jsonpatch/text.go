package jsonpatch

import "hash/maphash"

// What programs need that read JSON text by its places. The functions take strict
// JSON that is known to be valid; other text gives wrong results, no panic.

// Blank returns the text as strict JSON in which every byte is at its place:
// comments and trailing commas are spaces. It must not be written to.
func (d *Document) Blank() []byte { return d.blank() }

// Skip returns the place behind the value that begins at text[i].
func Skip(text []byte, i int) int { return skipValue(text, i) }

// Children calls f for each member or element of the container that begins at
// text[i], in order: its name with quotes, nil in an array, and its value
// text[lo:hi].
func Children(text []byte, i int, f func(name []byte, lo, hi int)) {
	for e, ok := Next(text, i, i+1); ok; e, ok = Next(text, i, e.Hi) {
		f(e.Name, e.Lo, e.Hi)
	}
}

// Entry is a member or element of a container.
type Entry struct {
	Name   []byte // with quotes; nil in an array
	From   int    // the place behind the value before it, or behind the bracket
	Lo, Hi int    // its value is text[Lo:Hi]
}

// Next finds the entry of the container that begins at text[at] which follows text[i],
// the place behind another one's value or behind the bracket. It reports false where
// there is none.
func Next(text []byte, at, i int) (Entry, bool) {
	e := Entry{From: i}
	if i = skipSpace(text, i); byteAt(text, i) == ',' {
		i = skipSpace(text, i+1)
	}
	if i >= len(text) || text[i] == '}' || text[i] == ']' {
		return e, false
	}
	if text[at] == '{' {
		end := skipString(text, i)
		e.Name = text[i:end]
		i = skipSpace(text, skipSpace(text, end)+1)
	}
	e.Lo, e.Hi = i, skipValue(text, i)
	return e, e.Hi > i
}

// Sum is the same for values that are [Equal], and in all likelihood another for others.
func Sum(seed maphash.Seed, text []byte) uint64 {
	t, err := buildTree(text, seed)
	if err != nil {
		return 0
	}
	return t.nodes[0].hash
}

// Unquote returns what a string, given with its quotes, means.
func Unquote(quoted []byte) string { return unquote(quoted) }

// AppendQuoted appends a string with its quotes, as short as it can be written.
func AppendQuoted(out []byte, s string) []byte {
	return appendQuoted(out, s)
}
