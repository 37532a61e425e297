// Package ordered evaluates jq programs over objects that keep the order of their
// members, as jq does, and over values that know where in a document they stand.
//
// gojq, whose parser and functions of scalars are used, has Go maps for objects: it
// sorts them. What a program takes over from the document or from an argument keeps
// its text, and what it makes of an element is known to be that element.
package ordered

import (
	"context"
	"errors"

	"github.com/itchyny/gojq"
)

// A Program is a jq program with the values of its variables.
type Program struct {
	query   *gojq.Query
	vars    *scope
	environ func() []string
}

// Variable is a name, with its dollar sign, and its value.
type Variable struct {
	Name  string
	Value *Value
}

// New makes a program of a query. environ is what $ENV and env show.
func New(query *gojq.Query, vars []Variable, environ func() []string) (*Program, error) {
	if query.Meta != nil || len(query.Imports) > 0 {
		return nil, &Unsupported{"a module"}
	}
	p := &Program{query: query, environ: environ}
	var names []string
	for _, v := range vars {
		p.vars = &scope{up: p.vars, name: v.Name, value: v.Value}
		names = append(names, v.Name)
	}
	return p, check(query, names)
}

// check lets gojq judge the names that a program uses. Those that it doesn't know and
// that are known here are told to it.
func check(query *gojq.Query, names []string) error {
	options := []gojq.CompilerOption{gojq.WithVariables(names), gojq.WithInputIter(gojq.NewIter[any]())}
	for name, args := range unknownToGojq {
		options = append(options, gojq.WithFunction(name, args, args, func(any, []any) any { return nil }))
	}
	_, err := gojq.Compile(query, options...)
	return err
}

var unknownToGojq = map[string]int{
	"keys_unsorted": 0, "leaf_paths": 0, "stderr": 0, "input_line_number": 0, "input_filename": 0,
}

// Run calls out with each value that the program makes of v, until out or the
// program fails.
func (p *Program) Run(ctx context.Context, v *Value, out func(*Value) error) error {
	m := &machine{ctx: ctx, environ: p.environ, leaves: map[string]*gojq.Code{}}
	err := m.eval(p.query, p.vars, plain(v), func(v at) error { return out(v.Value) })
	var b *broken
	if errors.As(err, &b) {
		return errors.New("break")
	}
	return err
}

// Object makes an object of names and values.
func Object(names []string, values []*Value) *Value {
	o := object()
	for i, name := range names {
		o.put(name, nil, values[i])
	}
	return o
}
