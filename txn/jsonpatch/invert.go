package jsonpatch

import (
	"errors"
	"strconv"
)

// walkLimit is how many operations Invert takes back one by one. Each costs
// some passes over the document; beyond that, one comparison of before and after
// is less work.
const walkLimit = 16

// Invert returns the patch that takes p back: applied to what p makes of d, it
// gives d's value again. Member order is not part of a value; the splices that
// Apply returns give the very bytes. It fails as Apply fails.
func Invert(d *Document, p Patch, lim Limits) (Patch, error) {
	after, _, err := d.Apply(p, lim)
	if err != nil {
		return nil, err
	}
	if len(p) > walkLimit {
		return Diff(after, d)
	}
	var inverse Patch
	for i, op := range p {
		back, err := invertOne(d, op, lim)
		if err != nil {
			return nil, err
		}
		inverse = append(back, inverse...)
		if i == len(p)-1 {
			break
		}
		if d, _, err = d.Apply(p[i:i+1], lim); err != nil {
			return nil, err
		}
	}
	return inverse, nil
}

func invertOne(d *Document, op Operation, lim Limits) (Patch, error) {
	switch op.Op {
	case "add", "copy":
		return invertAdd(d, op.Path)
	case "remove":
		old, err := plain(d, op.Path)
		return Patch{{Op: "add", Path: op.Path, Value: Compact(old)}}, err
	case "replace":
		old, err := plain(d, op.Path)
		return Patch{{Op: "replace", Path: op.Path, Value: Compact(old)}}, err
	case "move":
		return invertMove(d, op, lim)
	}
	return nil, nil
}

// invertAdd undoes putting a value at path, which inserts into an array and
// replaces anything else that is there.
func invertAdd(d *Document, path Pointer) (Patch, error) {
	path, inserts, err := landing(d, path)
	if err != nil {
		return nil, err
	}
	if inserts {
		return Patch{{Op: "remove", Path: path}}, nil
	}
	old, err := plain(d, path)
	return Patch{{Op: "replace", Path: path, Value: Compact(old)}}, err
}

// invertMove goes through the document that a move has in its middle, when the
// value has been taken out and not yet put in: it is that document in which path
// counts, and from which both ends differ by one value.
func invertMove(d *Document, op Operation, lim Limits) (Patch, error) {
	if op.From.String() == op.Path.String() {
		return nil, nil
	}
	value, err := plain(d, op.From)
	if err != nil {
		return nil, err
	}
	middle, _, err := d.Apply(Patch{{Op: "remove", Path: op.From}}, lim)
	if err != nil {
		return nil, err
	}
	path, inserts, err := landing(middle, op.Path)
	if err != nil {
		return nil, err
	}
	// A move back into what is at path by then is not allowed to be a move.
	if inserts && !op.From.HasPrefix(path) {
		return Patch{{Op: "move", From: path, Path: op.From}}, nil
	}
	back, err := invertAdd(middle, path)
	return append(back, Operation{Op: "add", Path: op.From, Value: Compact(value)}), err
}

// landing resolves "-" in the path that a value is added at, and tells whether
// it is a new place there.
func landing(d *Document, path Pointer) (at Pointer, inserts bool, err error) {
	if len(path) == 0 {
		return path, false, nil
	}
	parent := path[:len(path)-1]
	container, err := plain(d, parent)
	if err != nil {
		return nil, false, err
	}
	if container[0] == '[' {
		if path[len(path)-1] == "-" {
			last := strconv.Itoa(elementCount(container))
			path = append(append(Pointer{}, parent...), last)
		}
		return path, true, nil
	}
	_, err = plain(d, path)
	if errors.Is(err, ErrNotFound) {
		return path, true, nil
	}
	return path, false, err
}

// plain is Get without the comments and trailing commas within the value.
func plain(d *Document, p Pointer) ([]byte, error) {
	t := d.blank()
	lo := lookup(t, skipSpace(t, bomLength(t)), p)
	if lo < 0 {
		return d.Get(p) // which knows why
	}
	return t[lo:skipValue(t, lo)], nil
}

// elementCount counts the elements of a valid array.
func elementCount(array []byte) (n int) {
	i := skipSpace(array, 1)
	for i < len(array) && array[i] != ']' {
		n++
		i = skipSpace(array, skipValue(array, i))
		if byteAt(array, i) == ',' {
			i = skipSpace(array, i+1)
		}
	}
	return n
}
