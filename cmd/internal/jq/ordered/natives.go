package ordered

import (
	"fmt"
	"slices"
	"sync"

	"github.com/itchyny/gojq"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// native is a function that is evaluated here: because it iterates objects, keeps
// places, or would nest too deeply if it were defined in jq.
type native func(m *machine, args []*gojq.Query, env *scope, in at, out emit) error

// natives are made when the first program is run: most runs of jtx run none. They are set by
// init, since they refer to what refers to them.
var natives func() map[string]native

func init() { natives = sync.OnceValue(newNatives) }

func newNatives() map[string]native {
	return map[string]native{
		"empty/0":         func(*machine, []*gojq.Query, *scope, at, emit) error { return nil },
		"error/0":         func(_ *machine, _ []*gojq.Query, _ *scope, in at, _ emit) error { return &thrown{in.Value} },
		"error/1":         values(func(_ *machine, _ *Value, a []*Value) (*Value, error) { return nil, &thrown{a[0]} }),
		"type/0":          values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return String(v.typeName()), nil }),
		"tojson/0":        values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { s, err := v.json(); return String(s), err }),
		"tostring/0":      values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return tostring(v) }),
		"format/1":        values(func(m *machine, v *Value, a []*Value) (*Value, error) { a[0].load(); return m.format("@"+a[0].str, v) }),
		"fromjson/0":      values(fromjson),
		"has/1":           values(has),
		"keys_unsorted/0": values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return keys(v, false) }),
		"keys/0":          values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return keys(v, true) }),
		"to_entries/0":    values(toEntries),
		"from_entries/0":  values(fromEntries),
		"setpath/2":       values(setpath),
		"delpaths/1":      values(func(_ *machine, v *Value, a []*Value) (*Value, error) { return removePaths(v, a[0]) }),
		"join/1":          values(join),
		"flatten/0":       values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return flatten(v, 1<<30) }),
		"flatten/1":       values(flattenTo),
		"reverse/0":       values(reverse),
		"transpose/0":     values(transpose),
		"sort/0":          values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return sorted(v, v.elems, false) }),
		"unique/0":        values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return sorted(v, v.elems, true) }),
		"min/0":           values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return extreme(v, v.elems, -1) }),
		"max/0":           values(func(_ *machine, v *Value, _ []*Value) (*Value, error) { return extreme(v, v.elems, 1) }),
		"sort_by/1":       by(func(v *Value, keys []*Value) (*Value, error) { return sorted(v, keys, false) }),
		"unique_by/1":     by(func(v *Value, keys []*Value) (*Value, error) { return sorted(v, keys, true) }),
		"group_by/1":      by(grouped),
		"min_by/1":        by(func(v *Value, keys []*Value) (*Value, error) { return extreme(v, keys, -1) }),
		"max_by/1":        by(func(v *Value, keys []*Value) (*Value, error) { return extreme(v, keys, 1) }),
		"capture/2":       capture,
		"sub/3":           substitute,
		"getpath/1":       followPath,
		"path/1":          pathOf,
		"map/1":           mapOver,
		"walk/1":          walkOver,
		"recurse/0":       func(_ *machine, _ []*gojq.Query, _ *scope, in at, out emit) error { return descend(in, out) },
		"recurse/1":       recurse,
		"recurse/2":       recurseWhile,
		"while/2":         while,
		"until/2":         until,
		"repeat/1":        repeat,
		"ltrimstr/1":      values(trimmed("ltrimstr")),
		"rtrimstr/1":      values(trimmed("rtrimstr")),
		"range/1":         rangeOver,
		"range/2":         rangeOver,
		"range/3":         rangeOver,
		"first/1": func(m *machine, a []*gojq.Query, env *scope, in at, out emit) error {
			return m.take(a[0], env, in, 1, out)
		},
		"last/1":    lastOf,
		"limit/2":   limit,
		"skip/2":    skip,
		"isempty/1": isempty,
		"halt/0":    func(*machine, []*gojq.Query, *scope, at, emit) error { return fmt.Errorf("halted") },
	}
}

// values is a function of its input and of its arguments' values.
func values(f func(m *machine, v *Value, args []*Value) (*Value, error)) native {
	return func(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
		return m.cartesian(args, env, in, nil, func(list []*Value) error {
			in.load()
			v, err := f(m, in.Value, list)
			if err != nil {
				return err
			}
			return out(in.made(v))
		})
	}
}

// trimmed is a function that leaves what is no string as it is.
func trimmed(name string) func(*machine, *Value, []*Value) (*Value, error) {
	return func(m *machine, v *Value, a []*Value) (*Value, error) {
		if v.kind != '"' || a[0].kind != '"' {
			return v, nil
		}
		return m.leaf(name, v, a[0])
	}
}

func fromjson(_ *machine, v *Value, _ []*Value) (*Value, error) {
	if v.kind != '"' {
		return nil, throw("%s only strings can be parsed", describe(v))
	}
	if _, err := jsonpatch.ParseStrict([]byte(v.str), jsonpatch.Limits{}); err != nil {
		return nil, throw("%v (while parsing '%s')", err, cut(v.str))
	}
	return Argument([]byte(v.str))
}

func has(_ *machine, v *Value, a []*Value) (*Value, error) {
	key := a[0]
	key.load()
	switch {
	case v.kind == '{' && key.kind == '"':
		return boolean(v.find(key.str) >= 0), nil
	case v.kind == '[' && key.kind == number:
		f := floatOf(key.num)
		return boolean(f >= 0 && f < float64(len(v.elems))), nil
	}
	return nil, throw("Cannot check whether %s has a %s key", v.typeName(), key.typeName())
}

func keys(v *Value, inOrder bool) (*Value, error) {
	var list []*Value
	switch v.kind {
	case '{':
		for i, k := range v.keys {
			key := String(k)
			if name := v.names[i]; name != nil {
				src := &Source{raw: name, text: name}
				key = src.value(0, len(name))
			}
			list = append(list, key)
		}
		if inOrder {
			slices.SortStableFunc(list, compare)
		}
	case '[':
		for i := range v.elems {
			list = append(list, numberOf(i))
		}
	default:
		return nil, throw("%s has no keys", describe(v))
	}
	return Array(list), nil
}

func toEntries(_ *machine, v *Value, _ []*Value) (*Value, error) {
	names, err := keys(v, false)
	if err != nil {
		return nil, err
	}
	list := make([]*Value, len(names.elems))
	for i, k := range names.elems {
		e := object()
		e.put("key", nil, k)
		e.put("value", nil, v.elems[i])
		list[i] = e
	}
	return Array(list), nil
}

func fromEntries(_ *machine, v *Value, _ []*Value) (*Value, error) {
	if v.kind != '[' && v.kind != '{' {
		return nil, throw("Cannot iterate over %s", describe(v))
	}
	o := object()
	for _, e := range v.elems {
		key, value := null, null
		for _, name := range []string{"key", "k", "name", "Name", "Key", "K"} {
			got, err := index(e, String(name))
			if err != nil {
				return nil, err
			}
			if key = got; key.truthy() {
				break
			}
		}
		for _, name := range []string{"value", "v", "Value", "V"} {
			if e.find(name) >= 0 {
				value = e.elems[e.find(name)]
				break
			}
		}
		switch key.load(); key.kind {
		case '"':
		case number, 't', 'f', 'n':
			text, err := key.json()
			if err != nil {
				return nil, err
			}
			key = String(text)
		default:
			return nil, throw("Cannot use %s as object key", describe(key))
		}
		o.put(key.str, spelling(key), value)
	}
	return o, nil
}

func pathList(v *Value) ([]*Value, error) {
	if v.load(); v.kind != '[' {
		return nil, throw("Path must be specified as an array")
	}
	return v.elems, nil
}

func setpath(_ *machine, v *Value, a []*Value) (*Value, error) {
	path, err := pathList(a[0])
	if err != nil {
		return nil, err
	}
	return owner(nil).set(v, path, func(*Value) (*Value, error) { return a[1], nil })
}

func removePaths(v, list *Value) (*Value, error) {
	if list.load(); list.kind != '[' {
		return nil, throw("Paths must be specified as an array")
	}
	var paths [][]*Value
	for _, p := range list.elems {
		path, err := pathList(p)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return delpaths(v, paths)
}

func join(m *machine, v *Value, a []*Value) (*Value, error) {
	if v.kind != '[' && v.kind != '{' {
		return nil, throw("Cannot iterate over %s", describe(v))
	}
	var parts []*Value
	for i, e := range v.elems {
		if i > 0 {
			parts = append(parts, a[0])
		}
		switch e.kind {
		case 'n':
		case 't', 'f', number:
			s, err := tostring(e)
			if err != nil {
				return nil, err
			}
			parts = append(parts, s)
		default:
			parts = append(parts, e)
		}
	}
	return m.leaf("add", Array(append([]*Value{String("")}, parts...)))
}
