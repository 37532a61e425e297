package jsonpatch

import "bytes"

// Clash tells whether two patches to the same document touch a place in common:
// one reads or changes a value that the other changes, or one in it or around it.
// A test in ours reads what it tests; one in theirs counts for nothing. Where
// there is no clash, the one patch can be applied to what the other made of the
// document, and takes back nothing of it. at is a pointer to where they meet.
func Clash(doc *Document, ours, theirs Patch) (at string, clash bool) {
	for _, a := range ours {
		for _, p := range touched(doc, a) {
			for _, b := range theirs {
				if b.Op == "test" {
					continue
				}
				for _, q := range touched(doc, b) {
					if p.HasPrefix(q) || q.HasPrefix(p) {
						return p.String(), true
					}
				}
			}
		}
	}
	return "", false
}

// touched lists the places that an operation reads or changes. One that adds or
// removes an element shifts those behind it, so it touches the whole array.
func touched(doc *Document, op Operation) []Pointer {
	var at []Pointer
	if op.Op == "move" || op.Op == "copy" {
		at = append(at, widen(doc, op.From, op.Op == "move"))
	}
	return append(at, widen(doc, op.Path, op.Op != "replace" && op.Op != "test"))
}

func widen(doc *Document, p Pointer, shifts bool) Pointer {
	if !shifts || len(p) == 0 {
		return p
	}
	parent, err := doc.Get(p[:len(p)-1])
	if err == nil && bytes.HasPrefix(bytes.TrimLeft(parent, " \t\r\n"), []byte("[")) {
		return p[:len(p)-1]
	}
	return p
}
