package txn

import (
	"bytes"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// clashes tells whether two patches to the same document touch a place in common:
// one reads or changes a value that the other changes, or one in it or around it.
// at is a pointer to where.
func clashes(doc *jsonpatch.Document, ours, theirs jsonpatch.Patch) (at string, clash bool) {
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
func touched(doc *jsonpatch.Document, op jsonpatch.Operation) []jsonpatch.Pointer {
	var at []jsonpatch.Pointer
	if op.Op == "move" || op.Op == "copy" {
		at = append(at, widen(doc, op.From, op.Op == "move"))
	}
	return append(at, widen(doc, op.Path, op.Op != "replace" && op.Op != "test"))
}

func widen(doc *jsonpatch.Document, p jsonpatch.Pointer, shifts bool) jsonpatch.Pointer {
	if !shifts || len(p) == 0 {
		return p
	}
	parent, err := doc.Get(p[:len(p)-1])
	if err == nil && bytes.HasPrefix(bytes.TrimLeft(parent, " \t\r\n"), []byte("[")) {
		return p[:len(p)-1]
	}
	return p
}
