package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newUpdate(a *app) *cobra.Command {
	u := &updateCommand{a: a}
	cmd := &cobra.Command{
		Use:   "update FILE JQ",
		Short: "change a file by a jq program",
		Long: `Runs the jq program JQ on the document, and changes what differs in its output:
the order of members, the layout and the spelling of numbers stay elsewhere. The
program must print one value; where it fails, or prints none or several, nothing
is changed. It runs while the file is locked, so that no update is lost.

The variables of --arg and its like, $ARGS and $ENV are as in jq. Prints TXID
FILE@REV.`,
		Example: cli.Example(`jtx update config.json '.server.port += 1'`,
			`jtx update config.json '.server.host = $h' --arg h example.org`,
			`jtx update config.json 'del(.server.port)' --dry-run`),
		Args:              cli.Words(2, 2),
		ValidArgsFunction: completeFiles,
	}
	u.flags.register(cmd.Flags())
	cmd.Flags().StringVar(&u.fallback, "default", "", "begin with this `JSON` where there is no file")
	u.vars.register(cmd.Flags())
	cmd.RunE = a.Verb(u.run)
	return cmd
}

type updateCommand struct {
	a     *app
	flags changeFlags
	vars  jqFlags

	fallback string
}

func (u *updateCommand) run(_ *cobra.Command, args []string) error {
	file, text := args[0], args[1]
	if u.fallback != "" {
		if _, err := cli.Value("the value of --default", u.fallback, false); err != nil {
			return err
		}
	}
	if u.vars.err != nil {
		return u.vars.err
	}
	program, err := compileJQ(text, u.vars.vars)
	if err != nil {
		return err
	}
	return u.a.change(&u.flags, []string{file}, func(tx *txn.Tx) error {
		old, err := tx.Bytes(file)
		if errors.Is(err, txn.ErrNotFound) && u.fallback != "" {
			old, err = []byte(u.fallback), nil
		}
		if err != nil {
			return err
		}
		data, err := program.run(u.a.Ctx, old)
		if err != nil {
			return err
		}
		return tx.Encode(file, json.RawMessage(data))
	})
}

// jqProgram is a jq program with the values of its variables.
type jqProgram struct {
	code   *gojq.Code
	values []any
}

func compileJQ(text string, vars []jqVar) (*jqProgram, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, badJQ(text, err)
	}
	names := []string{"$ARGS"}
	named := map[string]any{}
	p := &jqProgram{values: []any{map[string]any{"positional": []any{}, "named": named}}}
	for _, v := range vars {
		if _, twice := named[v.name]; twice {
			continue // the first one counts, as in jq
		}
		named[v.name] = v.value
		names, p.values = append(names, "$"+v.name), append(p.values, v.value)
	}
	p.code, err = gojq.Compile(query, gojq.WithVariables(names), gojq.WithEnvironLoader(os.Environ))
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

// run gives the one value that the program makes of a document.
func (p *jqProgram) run(ctx context.Context, doc []byte) ([]byte, error) {
	in, err := decodeJSON(doc)
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
