package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newSet(a *app) *cobra.Command {
	s := &setCommand{a: a}
	cmd := &cobra.Command{
		Use:   "set FILE PTR VALUE [PTR VALUE ...] | PTR:=JSON PTR=TEXT ...",
		Short: "set values",
		Long: `Sets the value at each PTR, all in one transaction, and prints TXID FILE@REV.

VALUE is JSON; --string takes each VALUE as a string; - reads it from standard
input, and --value-file from a file, so that no other process sees it. A file that
is not there is made. A PTR that ends in /- appends to an array; .a[-1] is the last
element.

JSON and strings can be mixed in pairs, PTR:=JSON and PTR=TEXT, if every word behind
FILE is one.

-p makes missing parents, of FILE too. What is made is an array where /- or, in a jq path, an
index follows (.list[0]), else an object: in a pointer, 0 may well name a member.`,
		Example: cli.Example(`jtx set config.json /server/port 8080`, `jtx set config.json .server.host example.org --string`,
			`jtx set config.json /server/port:=8081 /server/host=example.net`,
			`jtx set config.json -p /limits/cpu 2 /limits/delta -1 -m "limits"`),
		Args:              cli.Words(2, -1),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	s.flags.register(fs)
	s.flags.registerStyle(fs)
	fs.BoolVarP(&s.flags.parents, "parents", "p", false, "make missing parents of values, and directories of FILE")
	fs.BoolVar(&s.asString, "string", false, "take each VALUE as a string")
	fs.StringVar(&s.valueFile, "value-file", "", "take the VALUE from this `PATH`, - for standard input")
	cmd.RunE = a.Verb(s.run)
	return cmd
}

type setCommand struct {
	a        *app
	flags    changeFlags
	asString bool

	valueFile string
}

func (s *setCommand) run(cmd *cobra.Command, args []string) error {
	file := args[0]
	sets, err := s.assignments(cmd, args[1:])
	if err != nil {
		return err
	}
	return s.a.change(&s.flags, []string{file}, func(tx *txn.Tx) error {
		for _, set := range sets {
			if err := s.one(tx, file, set); err != nil {
				return err
			}
		}
		return nil
	})
}

// assignments reads the words behind FILE: PTR VALUE, or pairs PTR:=JSON and PTR=TEXT.
func (s *setCommand) assignments(cmd *cobra.Command, words []string) ([]change.Assignment, error) {
	usage := func(format string, args ...any) error {
		return cli.Usagef(format, args...).WithHint("usage: %s", cmd.UseLine())
	}
	if s.valueFile != "" {
		if len(words) != 1 {
			return nil, usage("--value-file has the value of one PTR")
		}
		words = append(words, "")
	} else if list := change.Pairs(words); list != nil {
		return readPairs(list)
	}
	if len(words)%2 != 0 {
		return nil, usage("%s: PTR %s has no VALUE", cmd.CommandPath(), cli.QuoteWord(words[len(words)-1]))
	}
	var sets []change.Assignment
	for i := 0; i < len(words); i += 2 {
		ptr, arrays, err := change.Target(words[i])
		if err != nil {
			return nil, err
		}
		if words[i+1] == "-" && slices.Contains(words[i+2:], "-") {
			return nil, usage("standard input can be one VALUE only")
		}
		v, err := s.value(fmt.Sprintf("the value for %s", cli.PlaceName(ptr)), words[i+1])
		if err != nil {
			return nil, err
		}
		sets = append(sets, change.Assignment{Ptr: ptr, Arrays: arrays, Value: v})
	}
	return sets, nil
}

func readPairs(list []change.Pair) ([]change.Assignment, error) {
	var sets []change.Assignment
	for _, p := range list {
		ptr, arrays, err := change.Target(p.Place)
		if err != nil {
			return nil, err
		}
		v, err := cli.Value(fmt.Sprintf("the value for %s", cli.PlaceName(ptr)), p.Value, p.Text)
		var own *cli.Error
		if errors.As(err, &own) && !p.Text {
			own.Hint = "PTR=TEXT takes it as a string"
		}
		if err != nil {
			return nil, err
		}
		sets = append(sets, change.Assignment{Ptr: ptr, Arrays: arrays, Value: v})
	}
	return sets, nil
}

// value reads a VALUE: the word itself, standard input, or a file.
func (s *setCommand) value(what, word string) ([]byte, error) {
	var data []byte
	switch {
	case s.valueFile != "":
		in, err := s.a.Source([]string{s.valueFile})
		if err != nil {
			return nil, err
		}
		data = in.Data
	case word == "-":
		in, err := s.a.ReadStdin()
		if err != nil {
			return nil, err
		}
		data = in.Data
	default:
		return cli.Value(what, word, s.asString)
	}
	text := string(data)
	if s.asString {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r") // a line's end is none of it
	}
	return cli.Value(what, text, s.asString)
}

func (s *setCommand) one(tx *txn.Tx, file string, set change.Assignment) error {
	ptr, err := change.Resolve(tx, file, set.Ptr)
	if err != nil {
		return err
	}
	set.Ptr = ptr
	if s.flags.parents {
		return tx.SetPath(file, set.Ptr, set.Value, set.Arrays...)
	}
	err = tx.Set(file, set.Ptr, set.Value, set.Arrays...)
	// Tried, to see whether it would help; the transaction ends in err all the same.
	if errors.Is(err, txn.ErrConflict) && tx.SetPath(file, set.Ptr, set.Value, set.Arrays...) == nil {
		return &cli.Hinted{Err: err, Hint: "-p makes missing parent objects"}
	}
	return err
}
