package ordered

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// term evaluates a term with its first n suffixes.
func (m *machine) term(t *gojq.Term, n int, env *scope, in at, out emit) error {
	if n == 0 {
		return m.bare(t, env, in, out)
	}
	s := t.SuffixList[n-1]
	if s.Optional {
		return caught(func(out emit) error { return m.term(t, n-1, env, in, out) }, out, func(*thrown) error { return nil })
	}
	return m.term(t, n-1, env, in, func(v at) error {
		if s.Iter {
			return iterate(v, out)
		}
		return m.index(s.Index, env, in, v, out)
	})
}

// bare evaluates a term without its suffixes.
func (m *machine) bare(t *gojq.Term, env *scope, in at, out emit) error {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return out(in)
	case gojq.TermTypeRecurse:
		return descend(in, out)
	case gojq.TermTypeNull:
		return out(in.made(null))
	case gojq.TermTypeTrue:
		return out(in.made(trueValue))
	case gojq.TermTypeFalse:
		return out(in.made(falseValue))
	case gojq.TermTypeNumber:
		return out(in.made(literal(t.Number)))
	case gojq.TermTypeIndex:
		return m.index(t.Index, env, in, in, out)
	case gojq.TermTypeFunc:
		return m.call(t.Func, env, in, out)
	case gojq.TermTypeObject:
		return m.construct(t.Object.KeyVals, env, in, object(), out)
	case gojq.TermTypeArray:
		list, err := m.collect(t.Array.Query, env, in.Value)
		if err != nil {
			return err
		}
		return out(in.made(Array(list)))
	case gojq.TermTypeUnary:
		return m.unary(t.Unary, env, in, out)
	case gojq.TermTypeFormat:
		return m.formatted(t, env, in, out)
	case gojq.TermTypeString:
		return m.text(t.Str, "", env, in, out)
	case gojq.TermTypeIf:
		return m.conditional(t.If, env, in, out)
	case gojq.TermTypeTry:
		return m.try(t.Try, env, in, out)
	case gojq.TermTypeReduce:
		return m.reduce(t.Reduce, env, in, out)
	case gojq.TermTypeForeach:
		return m.foreach(t.Foreach, env, in, out)
	case gojq.TermTypeLabel:
		return m.labelled(t.Label, env, in, out)
	case gojq.TermTypeBreak:
		if s := env.find("*" + t.Break); s != nil {
			return &broken{s.label}
		}
		return fmt.Errorf("label not defined: %s", t.Break)
	case gojq.TermTypeQuery:
		return m.eval(t.Query, env, in, out)
	}
	return &Unsupported{What: t.String()}
}

// collect is [q].
func (m *machine) collect(q *gojq.Query, env *scope, in *Value) ([]*Value, error) {
	var list []*Value
	if q == nil {
		return nil, nil
	}
	err := m.eval(q, env, plain(in), func(v at) error {
		list = append(list, v.Value)
		return nil
	})
	return list, err
}

// construct makes objects, whose members have the order of the program.
func (m *machine) construct(list []*gojq.ObjectKeyVal, env *scope, in at, made *Value, out emit) error {
	if len(list) == 0 {
		return out(in.made(made))
	}
	kv := list[0]
	from := plain(in.Value)
	with := func(key *Value, v *Value) error {
		if key.load(); key.kind != '"' {
			return throw("Object keys must be strings")
		}
		next := made.copied()
		next.put(key.str, spelling(key), v)
		return m.construct(list[1:], env, in, next, out)
	}
	return m.memberKey(kv, env, in, func(key *Value) error {
		switch {
		case kv.Val != nil:
			return m.eval(kv.Val, env, from, func(v at) error { return with(key, v.Value) })
		case kv.Key != "" && kv.Key[0] == '$':
			return m.call(&gojq.Func{Name: kv.Key}, env, from, func(v at) error { return with(key, v.Value) })
		}
		v, err := index(in.Value, key)
		if err != nil {
			return err
		}
		return with(key, v)
	})
}

// spelling is how a string that becomes a name is written where it stands.
func spelling(v *Value) []byte {
	if v.src == nil {
		return nil
	}
	return v.src.text[v.lo:v.hi]
}

func (m *machine) memberKey(kv *gojq.ObjectKeyVal, env *scope, in at, then func(*Value) error) error {
	from := plain(in.Value)
	switch {
	case kv.KeyString != nil:
		return m.text(kv.KeyString, "", env, from, func(v at) error { return then(v.Value) })
	case kv.KeyQuery != nil:
		return m.eval(kv.KeyQuery, env, from, func(v at) error { return then(v.Value) })
	}
	return then(String(strings.TrimPrefix(kv.Key, "$")))
}

func (m *machine) unary(u *gojq.Unary, env *scope, in at, out emit) error {
	if u.Op == gojq.OpSub && u.Term.Type == gojq.TermTypeNumber && len(u.Term.SuffixList) == 0 {
		return out(in.made(literal("-" + u.Term.Number)))
	}
	name := "_negate"
	if u.Op == gojq.OpAdd {
		name = "_plus"
	}
	return m.term(u.Term, len(u.Term.SuffixList), env, plain(in.Value), func(v at) error {
		got, err := m.leaf(name, v.Value)
		if err != nil {
			return err
		}
		return out(in.made(got))
	})
}

func (m *machine) formatted(t *gojq.Term, env *scope, in at, out emit) error {
	if t.Str != nil {
		return m.text(t.Str, t.Format, env, in, out)
	}
	v, err := m.format(t.Format, in.Value)
	if err != nil {
		return err
	}
	return out(in.made(v))
}

// format is @name of a value.
func (m *machine) format(name string, v *Value) (*Value, error) {
	switch name {
	case "@text":
		return tostring(v)
	case "@json":
		text, err := v.json()
		return String(text), err
	case "@csv", "@tsv", "@sh":
		return m.leaf("format", v, String(name[1:]))
	}
	s, err := tostring(v)
	if err != nil {
		return nil, err
	}
	return m.leaf("format", s, String(name[1:]))
}

func tostring(v *Value) (*Value, error) {
	if v.kind == '"' {
		return v, nil
	}
	text, err := v.json()
	return String(text), err
}

// text evaluates a string with its interpolations.
func (m *machine) text(s *gojq.String, format string, env *scope, in at, out emit) error {
	if s.Queries == nil {
		return out(in.made(String(s.Str)))
	}
	return m.interpolate(s.Queries, format, env, in, "", out)
}

func (m *machine) interpolate(parts []*gojq.Query, format string, env *scope, in at, before string, out emit) error {
	if len(parts) == 0 {
		return out(in.made(String(before)))
	}
	q := parts[0]
	if q.Term != nil && q.Term.Type == gojq.TermTypeString && q.Term.Str.Queries == nil && len(q.Term.SuffixList) == 0 {
		return m.interpolate(parts[1:], format, env, in, before+q.Term.Str.Str, out)
	}
	return m.eval(q, env, plain(in.Value), func(v at) error {
		if format == "" {
			format = "@text"
		}
		s, err := m.format(format, v.Value)
		if err != nil {
			return err
		}
		s.load()
		return m.interpolate(parts[1:], format, env, in, before+s.str, out)
	})
}

func (m *machine) conditional(c *gojq.If, env *scope, in at, out emit) error {
	return m.eval(c.Cond, env, plain(in.Value), func(v at) error {
		switch {
		case v.truthy():
			return m.eval(c.Then, env, in, out)
		case len(c.Elif) > 0:
			return m.conditional(&gojq.If{Cond: c.Elif[0].Cond, Then: c.Elif[0].Then, Elif: c.Elif[1:], Else: c.Else}, env, in, out)
		case c.Else != nil:
			return m.eval(c.Else, env, in, out)
		}
		return out(in)
	})
}

func (m *machine) try(t *gojq.Try, env *scope, in at, out emit) error {
	return caught(func(out emit) error { return m.eval(t.Body, env, in, out) }, out, func(e *thrown) error {
		if t.Catch == nil {
			return nil
		}
		return m.eval(t.Catch, env, in.made(e.value), out)
	})
}

func (m *machine) reduce(r *gojq.Reduce, env *scope, in at, out emit) error {
	from := plain(in.Value)
	return m.eval(r.Start, env, from, func(state at) error {
		err := m.eval(r.Query, env, from, func(v at) error {
			return m.match(r.Patterns[0], env, in, v.Value, func(env *scope) error {
				next := plain(null)
				err := m.eval(r.Update, env, plain(state.Value), func(v at) error { next = v; return nil })
				state = next
				return err
			})
		})
		if err != nil {
			return err
		}
		return out(in.made(state.Value))
	})
}

func (m *machine) foreach(f *gojq.Foreach, env *scope, in at, out emit) error {
	from := plain(in.Value)
	return m.eval(f.Start, env, from, func(state at) error {
		return m.eval(f.Query, env, from, func(v at) error {
			return m.match(f.Patterns[0], env, in, v.Value, func(env *scope) error {
				return m.eval(f.Update, env, plain(state.Value), func(v at) error {
					state = v
					if f.Extract == nil {
						return out(in.made(v.Value))
					}
					return m.eval(f.Extract, env, plain(v.Value), func(v at) error { return out(in.made(v.Value)) })
				})
			})
		})
	})
}

func (m *machine) labelled(l *gojq.Label, env *scope, in at, out emit) error {
	m.labels++
	id := m.labels
	err := m.eval(l.Body, &scope{up: env, name: "*" + l.Ident, label: id}, in, out)
	//lint:ignore errorlint the signals of the machine are never wrapped
	if b, ok := err.(*broken); ok && b.label == id {
		return nil
	}
	return err
}

// index evaluates .name, ."name", .[i] or .[i:j] of a value.
func (m *machine) index(x *gojq.Index, env *scope, in, v at, out emit) error {
	from := plain(in.Value)
	switch {
	case x.Name != "":
		return step1(v, String(x.Name), out)
	case x.Str != nil:
		return m.text(x.Str, "", env, from, func(key at) error { return step1(v, key.Value, out) })
	case !x.IsSlice:
		return m.eval(x.Start, env, from, func(key at) error { return step1(v, key.Value, out) })
	}
	bound := func(q *gojq.Query, then func(*Value) error) error {
		if q == nil {
			return then(null)
		}
		return m.eval(q, env, from, func(v at) error { return then(v.Value) })
	}
	return bound(x.End, func(end *Value) error {
		return bound(x.Start, func(begin *Value) error {
			key := object()
			key.put("start", nil, begin)
			key.put("end", nil, end)
			return step1(v, key, out)
		})
	})
}

// step1 goes one step further.
func step1(v at, key *Value, out emit) error {
	if v.track && v.path == nil {
		text, _ := v.json()
		return throw("Invalid path expression with result %s", cut(text))
	}
	next, err := index(v.Value, key)
	if err != nil {
		return err
	}
	to := at{Value: next, track: v.track}
	if v.track {
		to.path = &step{v.path, key}
	}
	return out(to)
}

func cut(text string) string {
	if len(text) > 30 {
		return strings.ToValidUTF8(text[:30], "") + "..."
	}
	return text
}

// iterate is .[].
func iterate(v at, out emit) error {
	if v.track && v.path == nil {
		text, _ := v.json()
		return throw("Invalid path expression with result %s", cut(text))
	}
	if v.kind != '[' && v.kind != '{' {
		return throw("Cannot iterate over %s", describe(v.Value))
	}
	v.load()
	for i, e := range v.elems {
		to := at{Value: e, track: v.track}
		if v.track {
			key := numberOf(i)
			if v.kind == '{' {
				key = String(v.keys[i])
			}
			to.path = &step{v.path, key}
		}
		if err := out(to); err != nil {
			return err
		}
	}
	return nil
}

func describe(v *Value) string {
	if v.kind == 'n' {
		return "null"
	}
	text, _ := v.json()
	return v.typeName() + " (" + cut(text) + ")"
}

// descend is ..
func descend(v at, out emit) error {
	if err := out(v); err != nil {
		return err
	}
	if v.kind != '[' && v.kind != '{' {
		return nil
	}
	return iterate(v, func(e at) error { return descend(e, out) })
}

// environment is $ENV, in the order of the environment.
func (m *machine) environment() *Value {
	o := object()
	for _, pair := range m.environ() {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			o.put(name, nil, String(value))
		}
	}
	return o
}
