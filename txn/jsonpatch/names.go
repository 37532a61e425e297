package jsonpatch

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Two members of one object may have the same name. RFC 8259 leaves open what that
// means, so no patch says so, and no pointer leads through such a name; but other
// programs write it, so text that has it is read, and edited beside it.

// Repeated returns a *[SyntaxError] that says where a member has the name of an
// earlier one of its object, nil where none has.
func (d *Document) Repeated() error {
	if !d.repeats() {
		return nil
	}
	t := d.blank()
	if r, found := firstRepeated(t, bomLength(t)); found {
		return r.error(d.raw)
	}
	return nil
}

// repeats tells whether a name is repeated.
func (d *Document) repeats() bool {
	if d.syntax == Strict {
		return false
	}
	d.jsonc.names.Do(func() {
		t := d.blank()
		d.jsonc.repeats = hasRepeated(t[bomLength(t):])
	})
	return d.jsonc.repeats
}

// hasRepeated tells whether valid text has a repeated name.
func hasRepeated(text []byte) bool {
	if jsontext.Value(text).IsValid() {
		return false
	}
	_, found := firstRepeated(text, 0)
	return found
}

// repeatedName is a name that an object has for the second time.
type repeatedName struct {
	at      int // where it stands in the text, with its quotes
	pointer Pointer
}

func (r repeatedName) error(shown []byte) *SyntaxError {
	name := r.pointer[len(r.pointer)-1]
	return syntaxError(shown, r.at, r.pointer.String(), "duplicate member name "+strconv.Quote(Printable(name)))
}

// nameScan is one container that a search for repeated names is in.
type nameScan struct {
	seen map[string]bool // of an object, else nil
	name string          // the last one
	n    int             // of the element
}

// firstRepeated finds the first name from text[i] on that its object has already. It
// goes as far as the text is sound.
func firstRepeated(text []byte, i int) (r repeatedName, found bool) {
	var in []nameScan
	for wantsName := false; i < len(text); {
		top := len(in) - 1
		switch c := text[i]; c {
		case '{':
			in = append(in, nameScan{seen: map[string]bool{}})
			wantsName = true
		case '[':
			in = append(in, nameScan{})
			wantsName = false
		case '}', ']':
			in = in[:max(top, 0)]
			wantsName = false
		case ',':
			if top >= 0 {
				in[top].n++
				wantsName = in[top].seen != nil
			}
		case '"':
			end := skipString(text, i)
			if wantsName {
				wantsName = false
				name := unquote(text[i:end])
				if in[top].name = name; in[top].seen[name] {
					return repeatedName{i, pointerOf(in)}, true
				}
				in[top].seen[name] = true
			}
			i = end
			continue
		}
		i++
	}
	return r, false
}

// pointerOf is the pointer to where a search is.
func pointerOf(in []nameScan) Pointer {
	p := make(Pointer, len(in))
	for n, c := range in {
		if p[n] = c.name; c.seen == nil {
			p[n] = strconv.Itoa(c.n)
		}
	}
	return p
}

// errRepeated refuses a step to a member whose name its object repeats.
func errRepeated(name string) error {
	return fmt.Errorf("%w: %s, and it can't be said which is meant", ErrRepeated, strconv.Quote(Printable(name)))
}

// counter counts members by name, so that one that is repeated is told from those
// before it by what no name can hold.
type counter map[string]int

// key is a name that was met, and has been met before as often as is counted, and
// besides.
func (c counter) key(name string, besides int) string {
	n := c[name] + besides
	c[name]++
	if n == 0 {
		return name
	}
	return name + "\xff" + strconv.Itoa(n)
}

// names gives the names of members, with those told apart that are repeated.
func (t *tree) names(members []uint32) func(n int) string {
	if !t.repeats {
		return func(n int) string { return t.memberName(members[n]) }
	}
	names, seen := make([]string, len(members)), make(counter, len(members))
	for n, m := range members {
		names[n] = seen.key(t.memberName(m), 0)
	}
	return func(n int) string { return names[n] }
}

// sameRepeated tells whether the names that either object repeats have the same
// values in both.
func (d *differ) sameRepeated(in, out []uint32) bool {
	if !d.a.repeats && !d.b.repeats {
		return true
	}
	x, y := d.a.byName(in), d.b.byName(out)
	for _, byName := range []map[string][]uint32{x, y} {
		for name := range byName {
			a, b := x[name], y[name]
			if len(a) < 2 && len(b) < 2 {
				continue
			}
			if len(a) != len(b) {
				return false
			}
			for k := range a {
				if !d.same(a[k], b[k]) {
					return false
				}
			}
		}
	}
	return true
}

// byName are members by their name.
func (t *tree) byName(members []uint32) map[string][]uint32 {
	byName := make(map[string][]uint32, len(members))
	for _, m := range members {
		name := t.memberName(m)
		byName[name] = append(byName[name], m)
	}
	return byName
}

// visible are the members of in that a value without repeated names speaks of: of those
// that out does not repeat the last one, which is what most readers take.
func (d *differ) visible(in, out []uint32) []uint32 {
	if !d.a.repeats {
		return in
	}
	now, was := d.b.byName(out), d.a.byName(in)
	return slices.DeleteFunc(in, func(m uint32) bool {
		name := d.a.memberName(m)
		all := was[name]
		return len(now[name]) < 2 && m != all[len(all)-1]
	})
}
