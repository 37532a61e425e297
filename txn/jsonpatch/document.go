package jsonpatch

import (
	"sync"
	"sync/atomic"
)

// Syntax says which of the accepted forms a text has.
type Syntax uint8

const (
	// Strict is JSON of RFC 8259 in which no name is repeated.
	Strict Syntax = iota

	// JSONC is JSON with comments and trailing commas.
	JSONC

	// Loose is JSON of RFC 8259 in which an object has a name more than once.
	Loose
)

// String returns "strict", "jsonc" or "loose".
func (s Syntax) String() string {
	switch s {
	case JSONC:
		return "jsonc"
	case Loose:
		return "loose"
	}
	return "strict"
}

// Document is validated JSON text. It never changes, so it may be used by any
// number of goroutines; nobody may write to the bytes it was made of.
type Document struct {
	raw    []byte
	syntax Syntax

	jsonc *blanked                // of a JSONC document
	known atomic.Pointer[lookups] // what was looked up before, in a large document
}

// blanked is text without comments and trailing commas, which is made when it
// is first looked into, and what is known of its names.
type blanked struct {
	once sync.Once
	text []byte

	names   sync.Once
	repeats bool
}

// Parse validates data. Strict text makes a Strict document; text that is
// strict but for comments and trailing commas makes a JSONC one, and what repeats
// names is accepted too, see [Document.Repeated]. Other text
// gives a *[SyntaxError], too long text an error that wraps [ErrLimit]. The
// document keeps data, which must not be written to any more.
func Parse(data []byte, lim Limits) (*Document, error) {
	lim = lim.orDefault()
	if err := lim.CheckSize(int64(len(data))); err != nil {
		return nil, err
	}
	repeats, strictErr := validateLoose(data, data, lim)
	switch {
	case strictErr == nil && !repeats:
		return &Document{raw: data}, nil
	case strictErr == nil:
		return known(data, data, Loose, repeats), nil
	}
	text, err := blankJSONC(data)
	if err != nil {
		return nil, byName(data, err)
	}
	if len(data) == 0 || &text[0] == &data[0] {
		return nil, byName(data, strictErr)
	}
	if repeats, err = validateLoose(text, data, lim); err != nil {
		return nil, byName(data, err)
	}
	return known(data, text, JSONC, repeats), nil
}

// known is a document that isn't strict, with what was found when it was validated.
func known(data, text []byte, s Syntax, repeats bool) *Document {
	doc := Trusted(data, s)
	doc.jsonc.once.Do(func() { doc.jsonc.text = text })
	doc.jsonc.names.Do(func() { doc.jsonc.repeats = repeats })
	return doc
}

// ParseStrict is [Parse] for text that must be strict.
func ParseStrict(data []byte, lim Limits) (*Document, error) {
	lim = lim.orDefault()
	if err := lim.CheckSize(int64(len(data))); err != nil {
		return nil, err
	}
	if err := validate(data, data, lim); err != nil {
		return nil, err
	}
	return &Document{raw: data}, nil
}

// Trusted makes a document of text that is known to be valid, because the hash
// of these very bytes was recorded when they were validated. It looks at
// nothing. JSONC may be said of any text, where it isn't known. Text that isn't valid gives wrong results or errors later, no panic.
func Trusted(data []byte, s Syntax) *Document {
	if s == Strict {
		return &Document{raw: data}
	}
	return &Document{raw: data, syntax: s, jsonc: &blanked{}}
}

// Bytes returns the text, which must not be written to.
func (d *Document) Bytes() []byte { return d.raw }

// Syntax tells whether the text is strict. It is a matter of the text alone,
// however the document was made, so that the same edit of the same text always
// gives the same bytes: JSONC is what has a comment or a trailing comma, else Loose
// what repeats a name.
func (d *Document) Syntax() Syntax {
	if d.syntax == Strict {
		return Strict
	}
	switch t := d.blank(); {
	case len(t) > 0 && &t[0] != &d.raw[0]:
		return JSONC
	case d.repeats():
		return Loose
	}
	return Strict
}

// blank returns the text with comments and trailing commas blanked.
func (d *Document) blank() []byte {
	if d.syntax == Strict {
		return d.raw
	}
	d.jsonc.once.Do(func() { d.jsonc.text = blankTrusted(d.raw) })
	return d.jsonc.text
}

// source returns the text in the form that edits work on.
func (d *Document) source() *source {
	return &source{raw: d.raw, blank: d.blank(), doc: true, repeats: d.repeats()}
}

// text returns the value's text for a parser that knows strict JSON only:
// without a byte order mark, with comments and trailing commas blanked.
func (d *Document) text() []byte {
	return d.blank()[bomLength(d.raw):]
}

// Get returns the bytes of the value that p points to, a part of what Bytes
// returns. In a JSONC document comments within the value are among them. Where
// there is nothing it gives an *[OpError] that wraps [ErrNotFound].
func (d *Document) Get(p Pointer) ([]byte, error) {
	lo, hi := d.find(p)
	if lo < 0 {
		_, err := newWork(d, Limits{}).walk(p)
		return nil, &OpError{Index: -1, Op: "get", Pointer: p.String(), Err: err}
	}
	return d.raw[lo:hi], nil
}
