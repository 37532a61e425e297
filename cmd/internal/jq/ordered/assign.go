package ordered

import "github.com/itchyny/gojq"

// assign is =, |= and the like.
func (m *machine) assign(q *gojq.Query, env *scope, in at, out emit) error {
	if q.Op == gojq.OpModify {
		v, err := m.modify(q.Left, env, in.Value, func(old *Value, out emit) error { return m.eval(q.Right, env, plain(old), out) })
		if err != nil {
			return err
		}
		return out(in.made(v))
	}
	return m.eval(q.Right, env, plain(in.Value), func(r at) error {
		change := func(old *Value) (*Value, error) { return r.Value, nil }
		if op, ok := updating[q.Op]; ok {
			change = func(old *Value) (*Value, error) {
				v, err := m.operate(op, old, r.Value)
				if err != nil {
					return nil, err
				}
				return v.like(old), nil
			}
		}
		v, err := m.reducePaths(q.Left, env, in.Value, change)
		if err != nil {
			return err
		}
		return out(in.made(v))
	})
}

// updating are the operators of +=, -= and the like.
var updating = map[gojq.Operator]gojq.Operator{
	gojq.OpUpdateAdd: gojq.OpAdd, gojq.OpUpdateSub: gojq.OpSub, gojq.OpUpdateMul: gojq.OpMul,
	gojq.OpUpdateDiv: gojq.OpDiv, gojq.OpUpdateMod: gojq.OpMod, gojq.OpUpdateAlt: gojq.OpAlt,
}

// paths are those that a query leads to.
func (m *machine) paths(q *gojq.Query, env *scope, v *Value) ([][]*Value, error) {
	var found [][]*Value
	err := m.eval(q, env, at{v, start, true}, func(v at) error {
		if v.path == nil {
			text, _ := v.json()
			return throw("Invalid path expression with result %s", cut(text))
		}
		found = append(found, v.path.list())
		return nil
	})
	return found, err
}

// reducePaths changes what is at each path in turn.
func (m *machine) reducePaths(q *gojq.Query, env *scope, v *Value, change func(*Value) (*Value, error)) (*Value, error) {
	paths, err := m.paths(q, env, v)
	if err != nil {
		return nil, err
	}
	o := owner{}
	for _, p := range paths {
		if v, err = o.set(v, p, change); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// modify is |=: each value becomes the first that f makes of it, or is removed where
// that is none.
func (m *machine) modify(q *gojq.Query, env *scope, v *Value, f func(*Value, emit) error) (*Value, error) {
	paths, err := m.paths(q, env, v)
	if err != nil {
		return nil, err
	}
	o := owner{}
	var gone [][]*Value
	for _, p := range paths {
		v, err = o.set(v, p, func(old *Value) (*Value, error) {
			next, err := m.first(func(out emit) error { return f(old, out) })
			if next == nil {
				gone = append(gone, p)
				return old, err
			}
			return next.like(old), err
		})
		if err != nil {
			return nil, err
		}
	}
	return delpaths(v, gone)
}

// first is the first value that run gives, nil where it gives none.
func (m *machine) first(run func(emit) error) (*Value, error) {
	m.labels++
	stop := &broken{m.labels}
	var got *Value
	err := run(func(v at) error {
		got = v.Value
		return stop
	})
	//lint:ignore errorlint the signals of the machine are never wrapped
	if err == error(stop) {
		err = nil
	}
	return got, err
}
