package jsonpatch

import "bytes"

// lookup returns where the value that p points to starts, going down from the
// value at t[i], or -1 where there is none. It allocates nothing.
func lookup(t []byte, i int, p Pointer) int {
	for _, token := range p {
		switch byteAt(t, i) {
		case '{':
			i = memberAt(t, i, token)
		case '[':
			i = elementAt(t, i, token)
		default:
			return -1
		}
		if i < 0 {
			return -1
		}
	}
	return i
}

// memberAt returns where the value of a member of the object at t[i] starts.
func memberAt(t []byte, i int, name string) int {
	i = skipSpace(t, i+1)
	for byteAt(t, i) == '"' {
		end := skipString(t, i)
		found := nameIs(t[i:end], name)
		i = skipSpace(t, end)
		if byteAt(t, i) != ':' {
			return -1
		}
		i = skipSpace(t, i+1)
		if found {
			return i
		}
		i = skipSpace(t, skipValue(t, i))
		if byteAt(t, i) != ',' {
			return -1
		}
		i = skipSpace(t, i+1)
	}
	return -1
}

// elementAt returns where an element of the array at t[i] starts.
func elementAt(t []byte, i int, token string) int {
	n, ok := arrayIndex(token)
	if !ok {
		return -1
	}
	for i = skipSpace(t, i+1); i < len(t) && !endsScalar[t[i]]; n-- {
		if n == 0 {
			return i
		}
		i = skipSpace(t, skipValue(t, i))
		if byteAt(t, i) != ',' {
			break
		}
		i = skipSpace(t, i+1)
	}
	return -1
}

// scalarChange is what a patch of one operation does that replaces a value by a scalar,
// as most do: raw[lo:hi] becomes text.
type scalarChange struct {
	found  bool
	lo, hi int
	text   []byte
}

// scalarChange finds it without the working tree, which would cost a small document
// more than the change itself. Where it finds none the tree has to decide.
func (d *Document) scalarChange(p Patch, lim Limits) (c scalarChange) {
	if len(p) != 1 || p[0].Op != "replace" || len(p[0].Path) == 0 || isOpen(bytes.TrimSpace(p[0].Value)) {
		return c
	}
	value, err := given(p[0], lim)
	if err != nil {
		return c
	}
	lo, hi := d.find(p[0].Path)
	if lo < 0 || int64(len(d.raw)-(hi-lo)+len(value.text)) > lim.MaxBytes {
		return c
	}
	return scalarChange{true, lo, hi, value.text}
}

// replaceScalar makes a scalarChange, or reports false where there is none.
func (d *Document) replaceScalar(p Patch, lim Limits) (*Document, []Splice, bool) {
	c := d.scalarChange(p, lim)
	if !c.found {
		return nil, nil, false
	}
	out := bytes.Join([][]byte{d.raw[:c.lo], c.text, d.raw[c.hi:]}, nil) // which doesn't zero what it makes
	list := appendSplice(nil, c.lo, d.raw[c.lo:c.hi], out[c.lo:c.lo+len(c.text)])
	if len(list) == 0 {
		return d, nil, true
	}
	next := Trusted(out, d.Syntax())
	next.known.Store(d.known.Load().after(c.lo, c.hi, c.lo+len(c.text)))
	return next, list, true
}
