package jsonpatch

import (
	"cmp"
	"slices"
)

// Revision is a new value for a document, and what is known of where its parts
// come from.
type Revision struct {
	// Text is the value as strict JSON. Space in it has no meaning.
	Text []byte

	// Taken are the parts of Text that are as they stand elsewhere, in order and
	// apart from each other: their text is taken from there.
	Taken []Taken

	// Kin are the parts of Text that were made of a value of the document: the
	// element of an array that a program changed, say.
	Kin []Kin
}

// Taken says that Text[Lo:Hi] of a [Revision] stands elsewhere as Raw.
type Taken struct {
	Lo, Hi int
	Raw    []byte // with its layout, and its comments where they are the document's
	Indent string // of the line on which Raw begins there
	At     int    // where in the document, in bytes, or -1
}

// Kin says that the value at Text[Lo] of a [Revision] was made of the one that
// begins at byte At of the document.
type Kin struct{ Lo, At int }

type takes []Taken

// at is the part that begins at a place, nil where none does.
func (t takes) at(lo int) *Taken {
	i, ok := slices.BinarySearchFunc(t, lo, func(t Taken, lo int) int { return cmp.Compare(t.Lo, lo) })
	if !ok {
		return nil
	}
	return &t[i]
}

// haveLines tells whether one of the parts in Text[lo:hi] has several lines.
func (t takes) haveLines(lo, hi int) bool {
	i, _ := slices.BinarySearchFunc(t, lo, func(t Taken, lo int) int { return cmp.Compare(t.Lo, lo) })
	for ; i < len(t) && t[i].Lo < hi; i++ {
		if holdsNewline(t[i].Raw) {
			return true
		}
	}
	return false
}
