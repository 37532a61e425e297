package ordered

import (
	"github.com/itchyny/gojq"
)

func followPath(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.eval(args[0], env, plain(in.Value), func(p at) error {
		path, err := pathList(p.Value)
		if err != nil {
			return err
		}
		v, err := getpath(in.Value, path)
		if err != nil {
			return err
		}
		to := at{Value: v, track: in.track}
		if in.track && in.path != nil {
			to.path = in.path
			for _, key := range path {
				to.path = &step{to.path, key}
			}
		}
		return out(to)
	})
}

func pathOf(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.eval(args[0], env, at{in.Value, start, true}, func(v at) error {
		if v.path == nil {
			text, _ := v.json()
			return throw("Invalid path expression with result %s", cut(text))
		}
		return out(in.made(Array(v.path.list())))
	})
}

// mapOver is map: what is made of an element is its kin.
func mapOver(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	var list []*Value
	err := iterate(plain(in.Value), func(e at) error {
		return m.eval(args[0], env, e, func(v at) error {
			list = append(list, v.like(e.Value))
			return nil
		})
	})
	if err != nil {
		return err
	}
	return out(in.made(Array(list).like(in.Value)))
}

func walkOver(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	v := in.Value
	if v.kind == '[' || v.kind == '{' {
		v.load()
		c := &Value{kind: v.kind, read: true, kin: v.place()}
		changed := false
		for i, e := range v.elems {
			err := walkOver(m, args, env, plain(e), func(next at) error {
				changed = changed || next.Value != e
				if v.kind == '[' {
					c.elems = append(c.elems, next.like(e))
				} else {
					c.put(v.keys[i], v.names[i], next.like(e))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if changed || len(c.elems) != len(v.elems) {
			v = c
		}
	}
	return m.eval(args[0], env, plain(v), func(got at) error { return out(in.made(got.Value)) })
}

// depthFirst gives a value, then what next makes of it, and so on, without nesting
// deeper each time.
func depthFirst(in at, next func(at, emit) error, out emit) error {
	stack := []at{in}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if err := out(v); err != nil {
			return err
		}
		var found []at
		if err := next(v, func(v at) error { found = append(found, v); return nil }); err != nil {
			return err
		}
		for i := len(found) - 1; i >= 0; i-- {
			stack = append(stack, found[i])
		}
	}
	return nil
}

func recurse(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return depthFirst(in, func(v at, found emit) error { return m.eval(args[0], env, v, found) }, out)
}

func repeat(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	for {
		if err := m.eval(args[0], env, in, out); err != nil {
			return err
		}
	}
}

func recurseWhile(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return depthFirst(in, func(v at, found emit) error {
		return m.eval(args[0], env, v, func(v at) error { return m.when(args[1], env, v, found) })
	}, out)
}

// when gives v for each time that a condition holds.
func (m *machine) when(cond *gojq.Query, env *scope, v at, out emit) error {
	return m.eval(cond, env, plain(v.Value), func(c at) error {
		if !c.truthy() {
			return nil
		}
		return out(v)
	})
}

func while(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.when(args[0], env, in, func(v at) error {
		return depthFirst(v, func(v at, found emit) error {
			return m.eval(args[1], env, v, func(v at) error { return m.when(args[0], env, v, found) })
		}, out)
	})
}

func until(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	stack := []at{in}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		var found []at
		err := m.eval(args[0], env, plain(v.Value), func(c at) error {
			if c.truthy() {
				return out(v)
			}
			return m.eval(args[1], env, v, func(v at) error { found = append(found, v); return nil })
		})
		if err != nil {
			return err
		}
		for i := len(found) - 1; i >= 0; i-- {
			stack = append(stack, found[i])
		}
	}
	return nil
}

func rangeOver(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.cartesian(args, env, in, nil, func(a []*Value) error {
		for _, v := range a {
			if v.load(); v.kind != number {
				return throw("Range bounds must be numeric")
			}
		}
		from, to, by := 0.0, floatOf(a[0].num), 1.0
		if len(a) > 1 {
			from, to = to, floatOf(a[1].num)
		}
		if len(a) > 2 {
			by = floatOf(a[2].num)
		}
		for x := from; by > 0 && x < to || by < 0 && x > to || by == 0 && x < to; x += by {
			n := any(x)
			if x == float64(int(x)) {
				n = int(x)
			}
			if m.ctx.Err() != nil {
				return m.ctx.Err()
			}
			if err := out(in.made(numberOf(n))); err != nil {
				return err
			}
		}
		return nil
	})
}

// take gives the first n values.
func (m *machine) take(q *gojq.Query, env *scope, in at, n int, out emit) error {
	m.labels++
	stop := &broken{m.labels}
	err := m.eval(q, env, in, func(v at) error {
		if err := out(v); err != nil {
			return err
		}
		if n--; n <= 0 {
			return stop
		}
		return nil
	})
	//lint:ignore errorlint the signals of the machine are never wrapped
	if err == error(stop) {
		return nil
	}
	return err
}

func count(v *Value, what string) (int, error) {
	if v.load(); v.kind != number {
		return 0, throw("%s needs a number", what)
	}
	n := int(floatOf(v.num))
	if n < 0 {
		return 0, throw("%s doesn't support negative count", what)
	}
	return n, nil
}

func limit(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.eval(args[0], env, plain(in.Value), func(v at) error {
		n, err := count(v.Value, "limit")
		if err != nil || n == 0 {
			return err
		}
		return m.take(args[1], env, in, n, out)
	})
}

func skip(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.eval(args[0], env, plain(in.Value), func(v at) error {
		n, err := count(v.Value, "skip")
		if err != nil {
			return err
		}
		return m.eval(args[1], env, in, func(v at) error {
			if n--; n >= 0 {
				return nil
			}
			return out(v)
		})
	})
}

func lastOf(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	var last at
	if err := m.eval(args[0], env, in, func(v at) error { last = v; return nil }); err != nil || last.Value == nil {
		return err
	}
	return out(last)
}

func isempty(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	v, err := m.first(func(out emit) error { return m.eval(args[0], env, plain(in.Value), out) })
	if err != nil {
		return err
	}
	return out(in.made(boolean(v == nil)))
}

// matches are those of a regular expression.
func (m *machine) matches(v *Value, re, flags *Value) ([]*Value, error) {
	var list []*Value
	err := m.delegate("match", plain(v), []*Value{re, flags}, func(v at) error {
		list = append(list, v.Value)
		return nil
	})
	return list, err
}

// regex takes an expression and its flags apart: they may come as an array.
func regex(re, flags *Value) (*Value, *Value) {
	if re.load(); re.kind == '[' && len(re.elems) > 0 {
		if len(re.elems) > 1 && flags.kind == 'n' {
			flags = re.elems[1]
		}
		re = re.elems[0]
	}
	return re, flags
}

// captures is an object of what the groups of a match have found.
func captures(match *Value) *Value {
	o := object()
	list, _ := index(match, String("captures"))
	for _, c := range list.elems {
		name, _ := index(c, String("name"))
		text, _ := index(c, String("string"))
		if name.kind == '"' {
			o.put(name.str, nil, text)
		}
	}
	return o
}

func capture(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.cartesian(args, env, in, nil, func(a []*Value) error {
		re, flags := regex(a[0], a[1])
		list, err := m.matches(in.Value, re, flags)
		if err != nil {
			return err
		}
		for _, match := range list {
			if err := out(in.made(captures(match))); err != nil {
				return err
			}
		}
		return nil
	})
}

// substitute is sub: each match is replaced by what its second argument makes of
// the captures.
func substitute(m *machine, args []*gojq.Query, env *scope, in at, out emit) error {
	return m.cartesian([]*gojq.Query{args[0], args[2]}, env, in, nil, func(a []*Value) error {
		re, flags := regex(a[0], a[1])
		list, err := m.matches(in.Value, re, flags)
		if err != nil {
			return err
		}
		in.load()
		return m.substitute(list, args[1], env, []rune(in.str), 0, "", func(s string) error { return out(in.made(String(s))) })
	})
}

func (m *machine) substitute(list []*Value, by *gojq.Query, env *scope, text []rune, from int, before string, then func(string) error) error {
	if len(list) == 0 {
		return then(before + string(text[from:]))
	}
	offset, _ := index(list[0], String("offset"))
	length, _ := index(list[0], String("length"))
	lo := int(floatOf(offset.num))
	hi := lo + int(floatOf(length.num))
	return m.eval(by, env, plain(captures(list[0])), func(v at) error {
		if v.load(); v.kind != '"' {
			return throw("%s cannot be added to a string", describe(v.Value))
		}
		return m.substitute(list[1:], by, env, text, hi, before+string(text[from:lo])+v.str, then)
	})
}
