package jsonpatch

import (
	"bytes"
	"fmt"
)

// Splice replaces Old, which is at Offset, by New. In a list of splices every
// Offset counts in the text before any of them was made; they are sorted and
// don't overlap.
type Splice struct {
	Offset   int
	Old, New []byte
}

// ApplySplices makes the changes of s in data and returns the new text. If the
// Old bytes of one aren't there, it returns an error that wraps [ErrNotFound].
func ApplySplices(data []byte, s []Splice) ([]byte, error) {
	size, done := len(data), 0
	for i, sp := range s {
		end := sp.Offset + len(sp.Old)
		if sp.Offset < done || end > len(data) || end < sp.Offset || !bytes.Equal(data[sp.Offset:end], sp.Old) {
			return nil, fmt.Errorf("%w: splice %d: the bytes to replace are not at offset %d", ErrNotFound, i, sp.Offset)
		}
		size += len(sp.New) - len(sp.Old)
		done = end
	}
	out, done := make([]byte, 0, size), 0
	for _, sp := range s {
		out = append(out, data[done:sp.Offset]...)
		out = append(out, sp.New...)
		done = sp.Offset + len(sp.Old)
	}
	return append(out, data[done:]...), nil
}

// splices compares the pieces of a result with the document they came from.
// The New bytes are parts of out, which is the pieces joined.
func splices(doc, out []byte, frags []frag) []Splice {
	var list []Splice
	inDoc, inOut := 0, 0 // up to where everything is in the list or the same
	at := 0              // the place in out
	for _, f := range frags {
		if f.off >= inDoc {
			list = appendSplice(list, inDoc, doc[inDoc:f.off], out[inOut:at])
			inDoc, inOut = f.off+len(f.b), at+len(f.b)
		}
		at += len(f.b)
	}
	return appendSplice(list, inDoc, doc[inDoc:], out[inOut:])
}

// appendSplice adds a splice without what is the same at its start and end.
func appendSplice(list []Splice, offset int, before, after []byte) []Splice {
	n := 0
	for n < len(before) && n < len(after) && before[n] == after[n] {
		n++
	}
	before, after, offset = before[n:], after[n:], offset+n
	m := 0
	for m < len(before) && m < len(after) && before[len(before)-1-m] == after[len(after)-1-m] {
		m++
	}
	before, after = before[:len(before)-m], after[:len(after)-m]
	if len(before) == 0 && len(after) == 0 {
		return list
	}
	return append(list, Splice{offset, before[:len(before):len(before)], after[:len(after):len(after)]})
}
