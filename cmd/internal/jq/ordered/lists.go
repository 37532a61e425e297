package ordered

import (
	"slices"

	"github.com/itchyny/gojq"
)

func flattenTo(_ *machine, v *Value, a []*Value) (*Value, error) {
	a[0].load()
	depth := floatOf(a[0].num)
	if depth < 0 {
		return nil, throw("flatten depth must not be negative")
	}
	return flatten(v, int(depth))
}

func flatten(v *Value, depth int) (*Value, error) {
	if v.kind != '[' && v.kind != '{' {
		return nil, throw("Cannot iterate over %s", describe(v))
	}
	var list []*Value
	var add func(elems []*Value, depth int)
	add = func(elems []*Value, depth int) {
		for _, e := range elems {
			if e.kind == '[' && depth > 0 {
				e.load()
				add(e.elems, depth-1)
				continue
			}
			list = append(list, e)
		}
	}
	add(v.elems, depth)
	return Array(list).like(v), nil
}

func reverse(_ *machine, v *Value, _ []*Value) (*Value, error) {
	switch v.kind {
	case 'n':
		return Array(nil), nil
	case '"':
		runes := []rune(v.str)
		slices.Reverse(runes)
		return String(string(runes)), nil
	case '[':
		c := v.copied()
		slices.Reverse(c.elems)
		return c, nil
	}
	return nil, throw("Cannot reverse %s", describe(v))
}

func transpose(_ *machine, v *Value, _ []*Value) (*Value, error) {
	if v.kind != '[' {
		return nil, throw("Cannot transpose %s", describe(v))
	}
	var rows []*Value
	for i, e := range v.elems {
		if e.load(); e.kind != '[' {
			return nil, throw("Cannot transpose %s", describe(v))
		}
		for n, x := range e.elems {
			for len(rows) <= n {
				row := make([]*Value, len(v.elems))
				for k := range row {
					row[k] = null
				}
				rows = append(rows, Array(row))
			}
			rows[n].elems[i] = x
		}
	}
	return Array(rows), nil
}

// by is a function of an array and of what its argument makes of each element.
func by(f func(v *Value, keys []*Value) (*Value, error)) native {
	return func(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
		in.load()
		if in.kind != '[' {
			return throw("%s cannot be sorted, as it is not an array", describe(in.Value))
		}
		keys := make([]*Value, len(in.elems))
		for i, e := range in.elems {
			list, err := m.collect(args[0], env, e)
			if err != nil {
				return err
			}
			keys[i] = Array(list)
		}
		v, err := f(in.Value, keys)
		if err != nil {
			return err
		}
		return out(in.made(v))
	}
}

// order are the places of elements in the order of their keys.
func order(v *Value, keys []*Value) ([]int, error) {
	if v.kind != '[' {
		return nil, throw("%s cannot be sorted, as it is not an array", describe(v))
	}
	places := make([]int, len(keys))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return compare(keys[a], keys[b]) })
	return places, nil
}

func sorted(v *Value, keys []*Value, once bool) (*Value, error) {
	places, err := order(v, keys)
	if err != nil {
		return nil, err
	}
	var list []*Value
	for i, n := range places {
		if !once || i == 0 || compare(keys[places[i-1]], keys[n]) != 0 {
			list = append(list, v.elems[n])
		}
	}
	return Array(list).like(v), nil
}

func grouped(v *Value, keys []*Value) (*Value, error) {
	places, err := order(v, keys)
	if err != nil {
		return nil, err
	}
	var groups []*Value
	for i, n := range places {
		if i == 0 || compare(keys[places[i-1]], keys[n]) != 0 {
			groups = append(groups, Array(nil))
		}
		last := groups[len(groups)-1]
		last.elems = append(last.elems, v.elems[n])
	}
	return Array(groups), nil
}

// extreme is the first of the least elements, or the last of the greatest.
func extreme(v *Value, keys []*Value, sign int) (*Value, error) {
	if v.kind != '[' {
		return nil, throw("Cannot compute the extreme of %s", describe(v))
	}
	best := -1
	for i := range keys {
		if best < 0 {
			best = i
			continue
		}
		if c := sign * compare(keys[i], keys[best]); c > 0 || c == 0 && sign > 0 {
			best = i
		}
	}
	if best < 0 {
		return null, nil
	}
	return v.elems[best], nil
}
