package ordered

import (
	"math"
	"math/big"
	"slices"
)

// index is v[key]: a member, an element, a slice, or where an array is in another.
func index(v, key *Value) (*Value, error) {
	v.load()
	key.load()
	switch {
	case v.kind == '{' && key.kind == '"':
		if i := v.find(key.str); i >= 0 {
			return v.elems[i], nil
		}
		return null, nil
	case v.kind == '[' && key.kind == number:
		if i, ok := wholeIndex(key, len(v.elems)); ok && i < len(v.elems) {
			return v.elems[i], nil
		}
		return null, nil
	case v.kind == 'n' && (key.kind == '"' || key.kind == number || key.kind == '{'):
		return null, nil
	case key.kind == '{' && (v.kind == '[' || v.kind == '"'):
		return slice(v, key)
	case v.kind == '[' && key.kind == '[':
		return indices(v, key), nil
	}
	if key.kind == '"' {
		return nil, throw("Cannot index %s with %q", v.typeName(), key.str)
	}
	return nil, throw("Cannot index %s with %s", v.typeName(), key.typeName())
}

// wholeIndex is a number as an index; negative ones count from the end.
func wholeIndex(key *Value, n int) (int, bool) {
	f := floatOf(key.num)
	if math.IsNaN(f) {
		return 0, false
	}
	i := int(math.Floor(math.Max(math.Min(f, math.MaxInt32), -math.MaxInt32)))
	if i < 0 {
		i += n
	}
	return i, i >= 0
}

func floatOf(n any) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		return f
	case float64:
		return n
	}
	return math.NaN()
}

// bounds are those of a slice of n.
func bounds(key *Value, n int) (lo, hi int, err error) {
	lo, hi = 0, n
	for _, b := range []struct {
		name  string
		to    *int
		round func(float64) float64
	}{{"start", &lo, math.Floor}, {"end", &hi, math.Ceil}} {
		i := key.find(b.name)
		if i < 0 || key.elems[i].kind == 'n' {
			continue
		}
		e := key.elems[i]
		if e.load(); e.kind != number {
			return 0, 0, throw("Start and end indices of an array slice must be numbers")
		}
		f := floatOf(e.num)
		if f < 0 {
			f += float64(n)
		}
		*b.to = int(math.Max(0, math.Min(b.round(f), float64(n))))
	}
	return lo, max(lo, hi), nil
}

func slice(v, key *Value) (*Value, error) {
	if v.kind == '"' {
		runes := []rune(v.str)
		lo, hi, err := bounds(key, len(runes))
		if err != nil {
			return nil, err
		}
		return String(string(runes[lo:hi])), nil
	}
	lo, hi, err := bounds(key, len(v.elems))
	if err != nil {
		return nil, err
	}
	return Array(v.elems[lo:hi:hi]), nil
}

// indices are the places at which an array is in another.
func indices(v, sub *Value) *Value {
	var found []*Value
	for i := 0; len(sub.elems) > 0 && i+len(sub.elems) <= len(v.elems); i++ {
		if slices.CompareFunc(v.elems[i:i+len(sub.elems)], sub.elems, compare) == 0 {
			found = append(found, numberOf(i))
		}
	}
	return Array(found)
}

// getpath follows a path; where there is nothing it gives null.
func getpath(v *Value, path []*Value) (*Value, error) {
	for _, key := range path {
		if v.kind == 'n' {
			return null, nil
		}
		var err error
		if v, err = index(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// owner marks containers that one reduction over paths has made, and may go on
// changing.
type owner map[*Value]bool

// set is v with what is at path replaced by what change makes of it.
func (o owner) set(v *Value, path []*Value, change func(*Value) (*Value, error)) (*Value, error) {
	if len(path) == 0 {
		if o[v] {
			clear(o) // change may keep it, and what is in it
		}
		return change(v)
	}
	key := path[0]
	key.load()
	old, err := index(v, key)
	if err != nil {
		return nil, err
	}
	if key.kind == '{' {
		return o.setSlice(v, path, old, change)
	}
	next, err := o.set(old, path[1:], change)
	if err != nil || next == old && holds(v, key) {
		return v, err
	}
	switch {
	case key.kind == '"':
		c := o.own(v, '{')
		c.put(key.str, spelling(key), next)
		return c, nil
	case key.kind == number:
		return o.setElement(v, key, next)
	}
	return nil, throw("Cannot update field at array index of array")
}

// holds tells whether there is something at a key.
func holds(v, key *Value) bool {
	if v.kind == '{' {
		return v.find(key.str) >= 0
	}
	i, ok := wholeIndex(key, len(v.elems))
	return v.kind == '[' && ok && i < len(v.elems)
}

// own is v as a container that may be changed.
func (o owner) own(v *Value, kind byte) *Value {
	if o[v] {
		return v
	}
	c := &Value{kind: kind, read: true, kin: -1}
	if v.kind != 'n' {
		c = v.copied()
	}
	if o != nil {
		o[c] = true
	}
	return c
}

// maxElements bounds what an index beyond an array's end makes.
const maxElements = 1 << 27

func (o owner) setElement(v, key, next *Value) (*Value, error) {
	i, ok := wholeIndex(key, len(v.elems))
	if !ok {
		return nil, throw("Out of bounds negative array index")
	}
	if i >= maxElements {
		return nil, throw("Array index too large")
	}
	c := o.own(v, '[')
	for len(c.elems) <= i {
		c.elems = append(c.elems, null)
	}
	c.elems[i] = next
	return c, nil
}

func (o owner) setSlice(v *Value, path []*Value, old *Value, change func(*Value) (*Value, error)) (*Value, error) {
	if v.kind != '[' && v.kind != 'n' {
		return nil, throw("Cannot update field at object index of %s", v.typeName())
	}
	next, err := o.set(old, path[1:], change)
	if err != nil {
		return nil, err
	}
	if next.load(); next.kind != '[' {
		return nil, throw("A slice of an array can only be assigned another array")
	}
	lo, hi, err := bounds(path[0], len(v.elems))
	if err != nil {
		return nil, err
	}
	c := o.own(v, '[')
	c.elems = slices.Concat(c.elems[:lo], next.elems, c.elems[hi:])
	return c, nil
}

func comparePaths(a, b []*Value) int { return slices.CompareFunc(a, b, compare) }

// delpaths removes what is at each of several paths, the last ones first.
func delpaths(v *Value, paths [][]*Value) (*Value, error) {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, func(a, b []*Value) int { return comparePaths(b, a) })
	paths = slices.CompactFunc(paths, func(a, b []*Value) bool { return comparePaths(a, b) == 0 })
	for len(paths) > 0 {
		p := paths[0]
		if len(p) == 0 {
			return null, nil
		}
		dir := p[:len(p)-1]
		n := 1
		for n < len(paths) && len(paths[n]) == len(p) && comparePaths(paths[n][:len(dir)], dir) == 0 {
			n++
		}
		last := make([]*Value, n)
		for i := range last {
			last[i] = paths[i][len(dir)]
		}
		paths = paths[n:]
		parent, err := getpath(v, dir)
		if err != nil {
			return nil, err
		}
		if parent.kind == 'n' {
			continue
		}
		if v, err = owner(nil).set(v, dir, func(c *Value) (*Value, error) { return without(c, last) }); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// without is a container without some of its children, of which the last come first.
func without(v *Value, keys []*Value) (*Value, error) {
	v.load()
	gone := make([]bool, len(v.elems))
	for _, key := range keys {
		key.load()
		switch {
		case v.kind == '{' && key.kind == '"':
			if i := v.find(key.str); i >= 0 {
				gone[i] = true
			}
		case v.kind == '[' && key.kind == number:
			if i, ok := wholeIndex(key, len(v.elems)); ok && i < len(v.elems) {
				gone[i] = true
			}
		case v.kind == '[' && key.kind == '{':
			lo, hi, err := bounds(key, len(v.elems))
			if err != nil {
				return nil, err
			}
			for i := lo; i < hi; i++ {
				gone[i] = true
			}
		default:
			return nil, throw("Cannot delete field at %s index of %s", key.typeName(), v.typeName())
		}
	}
	if !slices.Contains(gone, true) {
		return v, nil
	}
	c := &Value{kind: v.kind, read: true, kin: v.place()}
	for n, e := range v.elems {
		switch {
		case gone[n]:
		case v.kind == '{':
			c.put(v.keys[n], v.names[n], e)
		default:
			c.elems = append(c.elems, e)
		}
	}
	return c, nil
}
