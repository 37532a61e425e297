package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/jq"
	"github.com/jtx-project/jtx/cmd/internal/jq/ordered"
)

// jqFlags are the flags that give a jq program its variables: each takes two
// words, a name and what it stands for.
type jqFlags struct {
	a    *app
	vars []jq.Var
	err  error // of the first value that is none
}

var jqKinds = []struct{ name, usage string }{
	{"arg", "`NAME VALUE`: $NAME is VALUE, a string"},
	{"argjson", "`NAME JSON`: $NAME is a JSON value"},
	{"slurpfile", "`NAME PATH`: $NAME is the array of the JSON values in a file"},
	{"rawfile", "`NAME PATH`: $NAME is a file's text"},
}

func (f *jqFlags) register(a *app, fs *pflag.FlagSet) {
	f.a = a
	for _, k := range jqKinds {
		fs.Var(&jqValue{f, k.name}, k.name, k.usage)
	}
}

// jqValue is one of the flags, which may be repeated.
type jqValue struct {
	flags *jqFlags
	kind  string
}

func (*jqValue) String() string { return "" }
func (*jqValue) Type() string   { return "NAME VALUE" }

func (v *jqValue) Set(pair string) error {
	name, value, ok := strings.Cut(pair, pairMark)
	if !ok {
		return fmt.Errorf("it takes two words, a name and a value")
	}
	read, err := v.read(value)
	if err != nil && v.flags.err == nil {
		// Said by the verb: the parser of flags would show the words joined.
		v.flags.err = cli.InvalidIn("--"+v.kind+" "+name, err)
	}
	v.flags.vars = append(v.flags.vars, jq.Var{Name: strings.TrimPrefix(name, "$"), Value: read})
	return nil
}

func (v *jqValue) read(word string) (*ordered.Value, error) {
	switch v.kind {
	case "argjson":
		return jq.Decode([]byte(word))
	case "slurpfile":
		data, err := v.flags.a.ReadFile(word)
		if err != nil {
			return nil, err
		}
		all, err := decodeStream(data)
		if err != nil {
			return nil, fmt.Errorf("%s is not JSON: %w", cli.QuoteWord(word), err)
		}
		return all, nil
	case "rawfile":
		data, err := v.flags.a.ReadFile(word)
		return ordered.String(string(data)), err
	default:
		return ordered.String(word), nil
	}
}

// decodeStream reads JSON values that follow each other.
func decodeStream(data []byte) (*ordered.Value, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var all []*ordered.Value
	for {
		var text json.RawMessage
		err := dec.Decode(&text)
		if errors.Is(err, io.EOF) {
			return ordered.Array(all), nil
		}
		if err != nil {
			return nil, err
		}
		v, err := jq.Decode(text)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

// pairMark joins the two words of a flag while flags are parsed. No argument of a
// process can hold a NUL of its own.
const pairMark = "\x00"

// joinPairs joins the two words behind each flag that takes two, for the parser of
// flags knows none of that kind.
func joinPairs(root *cobra.Command, args []string) []string {
	if !slices.ContainsFunc(args, takesPair) {
		return args
	}
	if cmd, _, err := root.Find(args); err != nil || cmd.Flag("slurpfile") == nil {
		return args
	}
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if takesPair(args[i]) && i+2 < len(args) {
			joined = append(joined, args[i]+"="+args[i+1]+pairMark+args[i+2])
			i += 2
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

func takesPair(word string) bool {
	for _, k := range jqKinds {
		if word == "--"+k.name {
			return true
		}
	}
	return false
}
