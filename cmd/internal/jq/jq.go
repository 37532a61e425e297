// Package jq runs jq programs over documents.
package jq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/jq/ordered"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Var is a variable of a program.
type Var struct {
	Name  string
	Value *ordered.Value
}

// Decode reads one value. Its numbers and the order of its members stay as they are
// written.
func Decode(data []byte) (*ordered.Value, error) { return ordered.Argument(data) }

// Program is a jq program with the values of its variables.
type Program struct {
	text    string
	program *ordered.Program
}

// Compile compiles a program with its variables. environ is what $ENV and env show.
func Compile(text string, vars []Var, environ func() []string) (*Program, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, badJQ(text, err)
	}
	var named []string
	var values []*ordered.Value
	var all []ordered.Variable
	for _, v := range vars {
		if slices.Contains(named, v.Name) {
			continue // the first one counts, as in jq
		}
		named, values = append(named, v.Name), append(values, v.Value)
		all = append(all, ordered.Variable{Name: "$" + v.Name, Value: v.Value})
	}
	args := ordered.Object([]string{"positional", "named"}, []*ordered.Value{ordered.Array(nil), ordered.Object(named, values)})
	all = append(all, ordered.Variable{Name: "$ARGS", Value: args})
	p, err := ordered.New(query, all, environ)
	var unsupported *ordered.Unsupported
	switch {
	case errors.As(err, &unsupported):
		return nil, refusal("FILE", text, err)
	case err != nil:
		return nil, &cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program", Err: err}
	}
	return &Program{text, p}, nil
}

// refusal names the way out of what can't be evaluated here.
func refusal(file, text string, err error) error {
	return (&cli.Error{Exit: cli.ExitInvalid, Msg: "the jq program", Err: err}).
		WithHint("jtx pipe %s -- jq %s runs the system's jq", cli.QuoteWord(file), cli.QuoteWord(text))
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

// Revise gives the one value that the program makes of a file, and says where the parts of the
// value come from.
func (p *Program) Revise(ctx context.Context, file string, doc []byte) (jsonpatch.Revision, error) {
	none := jsonpatch.Revision{}
	in, err := ordered.Document(doc)
	if err != nil {
		return none, err
	}
	var made *ordered.Value
	several := errors.New("several values")
	err = p.program.Run(ctx, in, func(v *ordered.Value) error {
		if made != nil {
			return several
		}
		made = v
		return nil
	})
	var unsupported *ordered.Unsupported
	switch {
	case errors.Is(err, several):
		return none, cli.Invalidf("the jq program prints several values, and a file holds one; nothing was changed").
			WithHint("[ ... ] around the program makes an array of them")
	case errors.As(err, &unsupported):
		return none, refusal(file, p.text, err)
	case err != nil:
		return none, failedJQ(ctx, err)
	case made == nil:
		return none, cli.Invalidf("the jq program prints nothing, and a file holds one value; nothing was changed")
	}
	r, err := made.Revision()
	if err != nil {
		return none, &cli.Error{Exit: cli.ExitInvalid, Msg: "what the jq program prints", Err: err}
	}
	return r, nil
}

// Each yields all that the program makes of a document, as JSON, until yield fails.
func (p *Program) Each(ctx context.Context, doc []byte, yield func([]byte) error) error {
	in, err := ordered.Document(doc)
	if err != nil {
		return err
	}
	var stopped error
	err = p.program.Run(ctx, in, func(v *ordered.Value) error {
		r, err := v.Revision()
		if err != nil {
			return err
		}
		stopped = yield(jsonpatch.Compact(r.Text))
		return stopped
	})
	if err != nil && stopped == nil {
		return failedJQ(ctx, err)
	}
	return stopped
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
