// Package jq runs jq programs over documents.
package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Var is a variable of a program.
type Var struct {
	Name  string
	Value any
}

// Decode reads one value. Numbers stay as they are written.
func Decode(data []byte) (any, error) {
	if _, err := jsonpatch.Parse(data, jsonpatch.Limits{}); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(jsonpatch.Compact(data)))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// Program is a jq program with the values of its variables.
type Program struct {
	code   *gojq.Code
	values []any
}

// Compile compiles a program with its variables. environ is what $ENV and env show.
func Compile(text string, vars []Var, environ func() []string) (*Program, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, badJQ(text, err)
	}
	names := []string{"$ARGS"}
	named := map[string]any{}
	p := &Program{values: []any{map[string]any{"positional": []any{}, "named": named}}}
	for _, v := range vars {
		if _, twice := named[v.Name]; twice {
			continue // the first one counts, as in jq
		}
		named[v.Name] = v.Value
		names, p.values = append(names, "$"+v.Name), append(p.values, v.Value)
	}
	p.code, err = gojq.Compile(query, gojq.WithVariables(names), gojq.WithEnvironLoader(environ))
	if err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program", Err: err}
	}
	return p, nil
}

// badJQ says where a program is wrong.
func badJQ(text string, err error) error {
	var syntax *gojq.ParseError
	if !errors.As(err, &syntax) {
		return &cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program", Err: err}
	}
	at := max(0, min(syntax.Offset-len(syntax.Token), len(text)))
	if syntax.Token == "" {
		at = len(text)
	}
	start := strings.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	column := utf8.RuneCountInString(text[start:at]) + 1
	return &cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program", Err: &jsonpatch.SyntaxError{
		Line: strings.Count(text[:at], "\n") + 1, Column: column, Offset: int64(at),
		Snippet: line + "\n" + strings.Repeat(" ", column-1) + "^", Msg: syntax.Error(),
	}}
}

// Run gives the one value that the program makes of a document.
func (p *Program) Run(ctx context.Context, doc []byte) ([]byte, error) {
	in, err := Decode(doc)
	if err != nil {
		return nil, err
	}
	iter := p.code.RunWithContext(ctx, in, p.values...)
	out, ok := iter.Next()
	if err, failed := out.(error); failed {
		return nil, failedJQ(ctx, err)
	}
	if !ok {
		return nil, cli.Invalidf("the jq program prints nothing, and a file holds one value; nothing was changed")
	}
	if second, more := iter.Next(); more {
		if err, failed := second.(error); failed {
			return nil, failedJQ(ctx, err)
		}
		return nil, cli.Invalidf("the jq program prints several values, and a file holds one; nothing was changed").
			WithHint("[ ... ] around the program makes an array of them")
	}
	data, err := gojq.Marshal(out)
	if err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Msg: "what the jq program prints", Err: err}
	}
	return data, nil
}

func failedJQ(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var halt *gojq.HaltError
	if errors.As(err, &halt) {
		err = fmt.Errorf("halted with %v", halt.Value())
	}
	return &cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program failed", Err: err}
}
