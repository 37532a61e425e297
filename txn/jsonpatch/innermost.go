package jsonpatch

import "bytes"

// innermost finds the container that holds all in which two texts, each a document's,
// differ: where it is, and its text in either. Whatever else there is of them needs no
// tree.
func innermost(a, b []byte) (p Pointer, inA, inB []byte) {
	lo, hi := commonEnds(a, b)
	at, endA, endB := skipSpace(a, 0), len(a), len(b)
	// What is nested deeply would be gone through once for each level.
	for budget := 4 * len(a); budget > 0; {
		e, n, ok := entryAround(a, at, lo)
		if !ok || e.Hi-1 < len(a)-hi {
			break
		}
		end := skipValue(b, e.Lo)
		if len(a)-e.Hi != len(b)-end {
			break
		}
		token := index(n)
		if e.Name != nil {
			token = unquote(e.Name)
		}
		p = append(p, token)
		at, endA, endB = e.Lo, e.Hi, end
		budget -= endA - at
	}
	if len(p) == 0 {
		return nil, a, b
	}
	return p, a[at:endA], b[at:endB]
}

// entryAround finds the entry of the container at text[at], its n-th, that begins
// before text[lo] and ends behind it, if that is a container.
func entryAround(text []byte, at, lo int) (e Entry, n int, ok bool) {
	if c := byteAt(text, at); at >= lo || c != '{' && c != '[' {
		return e, 0, false
	}
	for e, ok = Next(text, at, at+1); ok && e.Hi <= lo; e, ok = Next(text, at, e.Hi) {
		n++
	}
	if !ok || e.Lo >= lo || text[e.Lo] != '{' && text[e.Lo] != '[' {
		return e, n, false
	}
	return e, n, true
}

// commonEnds is how many bytes two texts have in common at the start, and of what is
// left at the end.
func commonEnds(a, b []byte) (lo, hi int) {
	const block = 4096
	n := min(len(a), len(b))
	for lo+block <= n && bytes.Equal(a[lo:lo+block], b[lo:lo+block]) {
		lo += block
	}
	for lo < n && a[lo] == b[lo] {
		lo++
	}
	n -= lo
	for hi+block <= n && bytes.Equal(a[len(a)-hi-block:len(a)-hi], b[len(b)-hi-block:len(b)-hi]) {
		hi += block
	}
	for hi < n && a[len(a)-1-hi] == b[len(b)-1-hi] {
		hi++
	}
	return lo, hi
}
