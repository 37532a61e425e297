package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newGet(a *app) *cobra.Command {
	g := &getCommand{a: a}
	cmd := &cobra.Command{
		Use:   "get FILE [PTR]",
		Short: "print a value",
		Long: `Prints the value at PTR, in its own bytes; without PTR the whole document.

PTR is an RFC 6901 pointer (/a/b/0) or a jq path (.a.b[0]). The exit code is 1
where there is nothing. With --json it prints an object that has the file's
revision beside the value, for a later --if-rev.

FILE@VERSION, or --at VERSION, is an old version: FILE@7 by revision, FILE@-1 the
one before the current, FILE@TXID, FILE@2026-01-02T03:04:05Z, 'FILE@2h ago'.`,
		Example:           cli.Example(`jtx get config.json /server/port`, `jtx get config.json .server.host -r`, `jtx get config.json /color --default '"blue"'`),
		Args:              cli.Words(1, 2),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	g.flags.register(fs)
	g.at.register(fs)
	fs.BoolVarP(&g.raw, "raw", "r", false, "print a string without its quotes and escapes")
	fs.BoolVar(&g.pretty, "pretty", false, "print the value laid out anew")
	fs.BoolVarP(&g.compact, "compact", "c", false, "print the value on one line, without comments")
	fs.StringVar(&g.fallback, "default", "", "print this `JSON` where there is nothing")
	fs.BoolVar(&g.asString, "string", false, "take the value of --default as a string")
	cmd.RunE = a.Verb(g.run)
	return cmd
}

type getCommand struct {
	a             *app
	flags         readFlags
	at            atFlags
	raw, asString bool
	fallback      string

	pretty, compact bool
}

// found is the value that get prints.
type found struct {
	value    []byte
	rev      uint64
	fallback bool // it is that of --default
}

func (g *getCommand) run(cmd *cobra.Command, args []string) error {
	g.a.Asks = true
	v, err := g.a.versionOf(args[0], g.at.at)
	if err != nil {
		return err
	}
	file, ptr := v.file, ""
	if len(args) > 1 {
		var err error
		if ptr, err = change.Place(args[1]); err != nil {
			return err
		}
	}
	var fallback []byte
	if cmd.Flags().Changed("default") {
		var err error
		if fallback, err = cli.Value("the value of --default", g.fallback, g.asString); err != nil {
			return err
		}
	}
	got, err := g.readAt(v, ptr)
	if errors.Is(err, txn.ErrNotFound) && fallback != nil {
		got.value, got.fallback, err = fallback, true, nil
	}
	if err != nil {
		return err
	}
	return g.print(file, ptr, got)
}

// readAt reads an old version where the words name one. An open transaction sees
// none.
func (g *getCommand) readAt(v versioned, ptr string) (found, error) {
	if v.text == "" {
		return g.read(v.file, ptr)
	}
	s, err := g.a.openStore(&g.flags.lockFlags)
	if err != nil {
		return found{}, err
	}
	old, err := history.ReadVersion(g.a.Ctx, s, v.file, v.point)
	if err != nil {
		return found{}, err
	}
	if !old.Exists {
		return found{}, &txn.Error{Kind: txn.ErrNotFound, File: old.File, Err: fmt.Errorf("was not there in revision %d", old.Rev)}
	}
	if ptr, err = change.ResolveIn(jsonpatch.Trusted(old.Data, jsonpatch.JSONC), ptr); err != nil {
		return found{}, &txn.Error{Kind: txn.ErrNotFound, File: old.File, Pointer: ptr, Err: err}
	}
	p, err := jsonpatch.ParsePointer(ptr)
	if err != nil {
		return found{}, err
	}
	value, err := jsonpatch.Trusted(old.Data, jsonpatch.JSONC).Get(p)
	if err != nil {
		return found{}, &txn.Error{Kind: txn.ErrNotFound, File: old.File, Pointer: ptr, Err: err}
	}
	if ptr == "" {
		value = old.Data
	}
	return found{value: value, rev: old.Rev}, nil
}

func (g *getCommand) read(file, ptr string) (found, error) {
	var got found
	err := g.a.view(&g.flags, []string{file}, func(tx *txn.Tx) (err error) {
		if got.rev, err = tx.Rev(file); err != nil {
			return err
		}
		if ptr == "" {
			got.value, err = tx.Bytes(file)
			return err
		}
		if ptr, err = change.Resolve(tx, file, ptr); err != nil {
			return err
		}
		got.value, err = tx.Get(file, ptr)
		return err
	})
	return got, err
}

func (g *getCommand) print(file, ptr string, got found) error {
	switch {
	case g.a.JSON:
		return g.a.WriteJSON(valueJSON{cli.NewJSONFile(file), ptr, got.rev, jsonpatch.Compact(got.value)})
	case g.raw:
		return g.a.Write(append(rawString(got.value), '\n'))
	case g.compact:
		return g.a.WriteDocument(append(jsonpatch.Compact(got.value), '\n'))
	case g.pretty:
		doc, err := jsonpatch.Parse(got.value, jsonpatch.Limits{})
		if err != nil {
			return cli.InvalidIn(cli.QuoteWord(file), err)
		}
		laid, err := doc.Format(jsonpatch.Format{Indent: "  "}, jsonpatch.Limits{})
		if err != nil {
			return err
		}
		return g.a.WriteDocument(append(bytes.TrimRight(laid.Doc.Bytes(), "\r\n"), '\n'))
	case ptr != "" || got.fallback || !bytes.HasSuffix(got.value, []byte("\n")) && cli.IsTerminal(g.a.Stdout):
		return g.a.WriteDocument(append(bytes.Clone(got.value), '\n'))
	default:
		return g.a.WriteDocument(got.value) // the file's own bytes, and no more
	}
}

type valueJSON struct {
	*cli.JSONFile
	Pointer string          `json:"pointer"`
	Rev     uint64          `json:"rev"`
	Value   json.RawMessage `json:"value"`
}

// rawString is what a JSON string means; another value is as it is.
func rawString(value []byte) []byte {
	var text string
	trimmed := bytes.TrimSpace(value)
	if !bytes.HasPrefix(trimmed, []byte(`"`)) || json.Unmarshal(trimmed, &text) != nil {
		return bytes.TrimRight(bytes.Clone(value), "\n")
	}
	return []byte(text)
}
