package ordered

import (
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// Unsupported is what a program uses that can't be evaluated here.
type Unsupported struct{ What string }

func (e *Unsupported) Error() string { return e.What + " is not supported here" }

// call calls a function, or gives the value of a variable.
func (m *machine) call(f *gojq.Func, env *scope, in at, out emit) error {
	if f.Name[0] == '$' {
		v, err := m.variable(f.Name, env)
		if err != nil {
			return err
		}
		return out(in.made(v))
	}
	name := signature(f.Name, len(f.Args))
	if s := env.find(name); s != nil {
		return m.apply(s.fn, f.Args, env, in, out)
	}
	if native := natives()[name]; native != nil {
		return native(m, f.Args, env, in, out)
	}
	if c := library()[name]; c != nil {
		return m.apply(c, f.Args, env, in, out)
	}
	if refused[name] {
		return &Unsupported{name}
	}
	return m.cartesian(f.Args, env, in, nil, func(args []*Value) error {
		return m.delegate(f.Name, in, args, out)
	})
}

func (m *machine) variable(name string, env *scope) (*Value, error) {
	if s := env.find(name); s != nil {
		return s.value, nil
	}
	switch name {
	case "$ENV":
		return m.environment(), nil
	case "$__loc__":
		return nil, &Unsupported{name}
	}
	return nil, fmt.Errorf("variable not defined: %s", name)
}

// apply calls a function that is defined in a program, or an argument.
func (m *machine) apply(c *closure, args []*gojq.Query, env *scope, in at, out emit) error {
	if m.depth++; m.depth > maxDepth {
		return fmt.Errorf("functions call each other more than %d deep", maxDepth)
	}
	defer func() { m.depth-- }()
	inner := c.env
	var values []int // the parameters that are values
	for i, p := range c.params {
		name, arg := p, &closure{body: args[i], env: env}
		if p[0] == '$' {
			values = append(values, i)
			name = p[1:]
		}
		inner = &scope{up: inner, name: signature(name, 0), fn: arg}
	}
	return m.bindValues(c, args, values, env, in, inner, func(inner *scope) error { return m.eval(c.body, inner, in, out) })
}

func (m *machine) bindValues(c *closure, args []*gojq.Query, values []int, env *scope, in at, inner *scope, then func(*scope) error) error {
	if len(values) == 0 {
		return then(inner)
	}
	i := values[0]
	return m.eval(args[i], env, plain(in.Value), func(v at) error {
		next := &scope{up: inner, name: c.params[i], value: v.Value}
		value := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: c.params[i]}}}
		next = &scope{up: next, name: signature(c.params[i][1:], 0), fn: &closure{body: value, env: next}}
		return m.bindValues(c, args, values[1:], env, in, next, then)
	})
}

// cartesian calls then with each combination of the arguments' values.
func (m *machine) cartesian(args []*gojq.Query, env *scope, in at, have []*Value, then func([]*Value) error) error {
	if len(have) == len(args) {
		return then(have)
	}
	return m.eval(args[len(have)], env, plain(in.Value), func(v at) error {
		return m.cartesian(args, env, in, append(have[:len(have):len(have)], v.Value), then)
	})
}

// leaf calls a function of gojq's that gives one value.
func (m *machine) leaf(name string, v *Value, args ...*Value) (*Value, error) {
	var got *Value
	err := m.delegate(name, plain(v), args, func(v at) error {
		got = v.Value
		return nil
	})
	if err == nil && got == nil {
		err = fmt.Errorf("%s gives nothing", name)
	}
	return got, err
}

// delegate calls a function of gojq's, which knows nothing of the order of members.
func (m *machine) delegate(name string, in at, args []*Value, out emit) error {
	code, err := m.compiled(name, len(args))
	if err != nil {
		return err
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.toGo()
	}
	iter := code.RunWithContext(m.ctx, in.toGo(), values...)
	for {
		x, more := iter.Next()
		if !more {
			return nil
		}
		if err, failed := x.(error); failed {
			return thrownBy(err)
		}
		v := fromGo(x)
		if err := out(in.made(v)); err != nil {
			return err
		}
	}
}

func (m *machine) compiled(name string, args int) (*gojq.Code, error) {
	key := signature(name, args)
	if code := m.leaves[key]; code != nil {
		return code, nil
	}
	var vars []string
	for i := range args {
		vars = append(vars, fmt.Sprintf("$a%d", i))
	}
	text, ok := operators[name]
	if !ok {
		text = name
	}
	if args > 0 && !ok {
		text += "(" + strings.Join(vars, ";") + ")"
	}
	q, err := gojq.Parse(text)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(q, gojq.WithVariables(vars))
	if err != nil {
		return nil, err
	}
	m.leaves[key] = code
	return code, nil
}

// thrownBy is an error of gojq's as one that a program can catch.
func thrownBy(err error) error {
	//lint:ignore errorlint the signals of the machine are never wrapped
	if _, halt := err.(*gojq.HaltError); halt {
		return err
	}
	if e, ok := err.(interface{ Value() any }); ok {
		return &thrown{fromGo(e.Value())}
	}
	return &thrown{String(err.Error())}
}
