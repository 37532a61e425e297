package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newDo(a *app) *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "do [SRC]",
		Short: "several changes as one transaction",
		Long: `Reads changes, one JSON object on each line, and does all of them as one
transaction, in that order. Each names a "file" and one change:

  {"file": F, "patch": [...]}            an RFC 6902 patch
  {"file": F, "merge": {...}}            an RFC 7386 merge patch
  {"file": F, "set": {POINTER: VALUE}}   values, missing parents made as by set -p
  {"file": F, "put": VALUE}              the whole document

A file whose name is not UTF-8 is named by "file_bytes", in base64. SRC is inline
JSON where it begins with { or [ (an array of such objects), else a path, and -
is standard input, as is no SRC. Prints TXID FILE@REV ... .`,
		Example: cli.Example(`printf '%s\n' '{"file": "a.json", "set": {"/n": 70}}' '{"file": "b.json", "set": {"/n": 130}}' | jtx do`),
		Args:    cli.Words(0, 1),
	}
	flags.register(cmd.Flags())
	flags.asLines = true
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		in, err := a.Source(args)
		if err != nil {
			return err
		}
		steps, err := parseSteps(in.Data)
		if err != nil {
			return &cli.About{What: in.Name, Err: err}
		}
		return a.change(&flags, filesOfSteps(steps), func(tx *txn.Tx) error { return doSteps(tx, steps) })
	})
	return cmd
}

// step is one line.
type step struct {
	where string // "line 3"
	file  string
	do    func(tx *txn.Tx, file string) error
}

func doSteps(tx *txn.Tx, steps []step) error {
	for _, s := range steps {
		if err := s.do(tx, s.file); err != nil {
			return &cli.About{What: s.where, Err: err}
		}
	}
	return nil
}

func filesOfSteps(steps []step) []string {
	var files []string
	for _, s := range steps {
		if !slices.Contains(files, s.file) {
			files = append(files, s.file)
		}
	}
	return files
}

// parseSteps reads NDJSON, or one array of what else are lines.
func parseSteps(data []byte) ([]step, error) {
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		return parseArray(data)
	}
	var steps []step
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s, err := parseStep(fmt.Sprintf("line %d", n), line)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func parseArray(data []byte) ([]step, error) {
	if _, err := jsonpatch.ParseStrict(data, jsonpatch.Limits{}); err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	var steps []step
	for i, item := range items {
		s, err := parseStep(fmt.Sprintf("item %d", i+1), item)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// parseStep reads one line, and checks all of it that can be without the file.
func parseStep(where string, text []byte) (step, error) {
	text = bytes.TrimSpace(text)
	if _, err := jsonpatch.ParseStrict(text, jsonpatch.Limits{}); err != nil {
		return step{}, cli.InvalidIn(where, err)
	}
	members := map[string]json.RawMessage{}
	if text[0] != '{' || json.Unmarshal(text, &members) != nil {
		return step{}, cli.Invalidf("%s: want an object with \"file\" and one of \"patch\", \"merge\", \"set\", \"put\"", where)
	}
	s := step{where: where}
	var err error
	if s.file, err = stepFile(members); err != nil {
		return s, cli.InvalidIn(where, err)
	}
	for _, name := range sortedKeys(members) {
		if s.do != nil {
			return s, cli.Invalidf("%s: want one of \"patch\", \"merge\", \"set\", \"put\", and nothing else; found %q too", where, name)
		}
		if s.do, err = stepChange(name, members[name]); err != nil {
			return s, cli.InvalidIn(where, err)
		}
	}
	if s.do == nil {
		return s, cli.Invalidf("%s: want one of \"patch\", \"merge\", \"set\", \"put\"", where)
	}
	return s, nil
}

// stepFile takes the file's name out of the members.
func stepFile(members map[string]json.RawMessage) (name string, err error) {
	plain, hasPlain := members["file"]
	encoded, hasBytes := members["file_bytes"]
	delete(members, "file")
	delete(members, "file_bytes")
	switch {
	case hasBytes: // "file" beside it is for people, as in jtx's own output
		var raw []byte
		err = json.Unmarshal(encoded, &raw)
		if err != nil {
			err = fmt.Errorf(`"file_bytes": want base64, such as %q for a.json`, base64.StdEncoding.EncodeToString([]byte("a.json")))
		}
		name = string(raw)
	case hasPlain:
		if json.Unmarshal(plain, &name) != nil || plain[0] != '"' {
			err = fmt.Errorf(`"file": want a string`)
		}
	default:
		err = fmt.Errorf(`"file" is missing`)
	}
	if err != nil {
		return "", err
	}
	return name, cli.CheckFile(name)
}

// stepChange reads a change by its name.
func stepChange(name string, arg json.RawMessage) (func(*txn.Tx, string) error, error) {
	switch name {
	case "patch":
		return func(tx *txn.Tx, file string) error { return tx.Patch(file, arg) }, checkPatch(arg)
	case "merge":
		return func(tx *txn.Tx, file string) error { return tx.Merge(file, arg) }, nil
	case "put":
		// The value ends with its last byte; a file ends with a line.
		return func(tx *txn.Tx, file string) error { return tx.Put(file, append(bytes.Clone(arg), '\n')) }, nil
	case "set":
		return stepSet(arg)
	}
	return nil, fmt.Errorf("unknown member %q", name)
}

// stepSet reads the pairs of "set" in the order in which they are written.
func stepSet(arg json.RawMessage) (func(*txn.Tx, string) error, error) {
	var sets []assignment
	dec := jsontext.NewDecoder(bytes.NewReader(arg))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, fmt.Errorf(`"set": want an object of values by pointer`)
	}
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		ptr, arrays, err := parseTarget(tok.String())
		if err != nil {
			return nil, err
		}
		v, err := dec.ReadValue()
		if err != nil && err != io.EOF {
			return nil, err
		}
		sets = append(sets, assignment{ptr, arrays, bytes.Clone(v)})
	}
	return func(tx *txn.Tx, file string) error {
		for _, set := range sets {
			if err := tx.SetPath(file, set.ptr, set.value, set.arrays...); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
