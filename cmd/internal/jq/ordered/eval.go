package ordered

import (
	"context"
	"errors"
	"fmt"

	"github.com/itchyny/gojq"
)

// machine runs one program.
type machine struct {
	ctx    context.Context
	steps  int
	depth  int
	labels int
	leaves map[string]*gojq.Code

	environ func() []string
}

// at is a value on its way through a program, with where it is where somebody asks.
type at struct {
	*Value
	path  *step // nil: it is no part of the input
	track bool
}

// step is the last of the steps that lead to a value; start leads to the input.
type step struct {
	up  *step
	key *Value
}

var start = &step{}

func (p *step) list() []*Value {
	var keys []*Value
	for ; p.up != nil; p = p.up {
		keys = append(keys, p.key)
	}
	for i, j := 0, len(keys)-1; i < j; i, j = i+1, j-1 {
		keys[i], keys[j] = keys[j], keys[i]
	}
	return keys
}

// made is a value that an expression makes, which is no part of the input.
func (in at) made(v *Value) at { return at{v, nil, in.track} }

// plain is a value whose place nobody asks for.
func plain(v *Value) at { return at{Value: v} }

// scope is a name and what it means, and those around it.
type scope struct {
	up    *scope
	name  string // $x, f/1 or *label
	value *Value
	fn    *closure
	label int
}

// closure is a function, or an argument of one.
type closure struct {
	params []string
	body   *gojq.Query
	env    *scope // where it was defined
	def    bool   // it is defined by def, and may call itself
	name   string
}

func (s *scope) find(name string) *scope {
	for ; s != nil; s = s.up {
		if s.name == name {
			return s
		}
	}
	return nil
}

// thrown is an error that a program can catch.
type thrown struct{ value *Value }

func (e *thrown) Error() string {
	if e.value.kind == '"' {
		e.value.load()
		return e.value.str
	}
	text, err := e.value.json()
	if err != nil {
		text = err.Error()
	}
	return text + " (not a string)"
}

func throw(format string, args ...any) error { return &thrown{String(fmt.Sprintf(format, args...))} }

// broken ends what a label is around.
type broken struct{ label int }

func (*broken) Error() string { return "break" }

// Limits of a program: how deep its functions may call each other, and how often it
// looks whether it was cancelled.
const (
	maxDepth  = 20_000
	lookEvery = 1 << 10
)

type emit = func(at) error

// eval gives what a query makes of a value to out.
func (m *machine) eval(q *gojq.Query, env *scope, in at, out emit) error {
	if m.steps++; m.steps%lookEvery == 0 && m.ctx.Err() != nil {
		return context.Cause(m.ctx)
	}
	for _, def := range q.FuncDefs {
		env = define(env, def)
	}
	if q.Term != nil {
		return m.term(q.Term, len(q.Term.SuffixList), env, in, out)
	}
	switch q.Op {
	case gojq.OpPipe:
		if len(q.Patterns) > 0 {
			return m.bind(q, env, in, out)
		}
		return m.eval(q.Left, env, in, func(v at) error { return m.eval(q.Right, env, v, out) })
	case gojq.OpComma:
		if err := m.eval(q.Left, env, in, out); err != nil {
			return err
		}
		return m.eval(q.Right, env, in, out)
	case gojq.OpAlt:
		return m.alternative(q, env, in, out)
	case gojq.OpAnd, gojq.OpOr:
		return m.logic(q, env, in, out)
	case gojq.OpAssign, gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		return m.assign(q, env, in, out)
	case 0:
		return out(in) // only definitions
	}
	from := plain(in.Value)
	return m.eval(q.Right, env, from, func(r at) error {
		return m.eval(q.Left, env, from, func(l at) error {
			v, err := m.operate(q.Op, l.Value, r.Value)
			if err != nil {
				return err
			}
			return out(in.made(v))
		})
	})
}

func define(env *scope, def *gojq.FuncDef) *scope {
	c := &closure{params: def.Args, body: def.Body, def: true, name: signature(def.Name, len(def.Args))}
	s := &scope{up: env, name: c.name, fn: c}
	c.env = s
	return s
}

func signature(name string, args int) string { return name + "/" + string(rune('0'+args)) }

// alternative is a // b.
func (m *machine) alternative(q *gojq.Query, env *scope, in at, out emit) error {
	found := false
	var after error
	err := m.eval(q.Left, env, in, func(v at) error {
		if !v.truthy() {
			return nil
		}
		found = true
		after = out(v)
		return after
	})
	if after != nil {
		return after // of what comes behind, not of a
	}
	//lint:ignore errorlint the signals of the machine are never wrapped
	if _, caught := err.(*thrown); err != nil && !caught {
		return err
	}
	if found {
		return nil
	}
	return m.eval(q.Right, env, in, out)
}

func (m *machine) logic(q *gojq.Query, env *scope, in at, out emit) error {
	from := plain(in.Value)
	return m.eval(q.Left, env, from, func(l at) error {
		if l.truthy() == (q.Op == gojq.OpOr) {
			return out(in.made(boolean(l.truthy())))
		}
		return m.eval(q.Right, env, from, func(r at) error { return out(in.made(boolean(r.truthy()))) })
	})
}

// bind is a as $x | b, with patterns and alternatives of them.
func (m *machine) bind(q *gojq.Query, env *scope, in at, out emit) error {
	if len(q.Patterns) > 1 {
		for _, p := range q.Patterns {
			env = declare(env, p)
		}
	}
	return m.eval(q.Left, env, plain(in.Value), func(v at) error {
		var err error
		for i, p := range q.Patterns {
			var after error
			err = m.match(p, env, in, v.Value, func(env *scope) error {
				err := m.eval(q.Right, env, in, out)
				//lint:ignore errorlint the signals of the machine are never wrapped
				if _, caught := err.(*thrown); err != nil && (!caught || i == len(q.Patterns)-1) {
					after = err
				}
				return err
			})
			//lint:ignore errorlint the signals of the machine are never wrapped
			if _, caught := err.(*thrown); err == nil || !caught || after != nil {
				return err
			}
		}
		return err
	})
}

// declare gives the variables of a pattern null: those that another one binds.
func declare(env *scope, p *gojq.Pattern) *scope {
	if p.Name != "" {
		env = &scope{up: env, name: p.Name, value: null}
	}
	for _, e := range p.Array {
		env = declare(env, e)
	}
	for _, o := range p.Object {
		if len(o.Key) > 0 && o.Key[0] == '$' {
			env = &scope{up: env, name: o.Key, value: null}
		}
		if o.Val != nil {
			env = declare(env, o.Val)
		}
	}
	return env
}

// match binds the variables of a pattern.
func (m *machine) match(p *gojq.Pattern, env *scope, in at, v *Value, then func(*scope) error) error {
	switch {
	case p.Name != "":
		return then(&scope{up: env, name: p.Name, value: v})
	case p.Array != nil:
		if v.kind != '[' && v.kind != 'n' {
			return throw("Cannot index %s with number", v.typeName())
		}
		return m.matchElements(p.Array, 0, env, in, v, then)
	}
	return m.matchMembers(p.Object, env, in, v, then)
}

func (m *machine) matchElements(list []*gojq.Pattern, i int, env *scope, in at, v *Value, then func(*scope) error) error {
	if i == len(list) {
		return then(env)
	}
	e := null
	if v.load(); i < len(v.elems) && v.kind == '[' {
		e = v.elems[i]
	}
	return m.match(list[i], env, in, e, func(env *scope) error { return m.matchElements(list, i+1, env, in, v, then) })
}

func (m *machine) matchMembers(list []*gojq.PatternObject, env *scope, in at, v *Value, then func(*scope) error) error {
	if len(list) == 0 {
		return then(env)
	}
	o := list[0]
	return m.patternKey(o, env, in, func(key *Value) error {
		e, err := index(v, key)
		if err != nil {
			return err
		}
		env := env
		if len(o.Key) > 0 && o.Key[0] == '$' {
			env = &scope{up: env, name: o.Key, value: e}
		}
		if o.Val == nil {
			return m.matchMembers(list[1:], env, in, v, then)
		}
		return m.match(o.Val, env, in, e, func(env *scope) error { return m.matchMembers(list[1:], env, in, v, then) })
	})
}

func (m *machine) patternKey(o *gojq.PatternObject, env *scope, in at, then func(*Value) error) error {
	from := plain(in.Value)
	switch {
	case o.KeyString != nil:
		return m.text(o.KeyString, "", env, from, func(v at) error { return then(v.Value) })
	case o.KeyQuery != nil:
		return m.eval(o.KeyQuery, env, from, func(v at) error { return then(v.Value) })
	case o.Key[0] == '$':
		return then(String(o.Key[1:]))
	}
	return then(String(o.Key))
}

// caught runs a body and hands an error of its own to handle; those of what comes
// behind pass.
func caught(run func(emit) error, out emit, handle func(*thrown) error) error {
	var after error
	err := run(func(v at) error {
		after = out(v)
		return after
	})
	var e *thrown
	if err == nil || after != nil || !errors.As(err, &e) {
		return err
	}
	return handle(e)
}
