package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newSet(a *app) *cobra.Command {
	s := &setCommand{a: a}
	cmd := &cobra.Command{
		Use:   "set FILE PTR VALUE [PTR VALUE ...]",
		Short: "set values",
		Long: `Sets the value at each PTR, all in one transaction, and prints TXID FILE@REV.

VALUE is JSON; --string takes each VALUE as a string. A file that is not there
is made. A PTR that ends in /- appends to an array.

-p makes missing parents, of FILE too. What is made is an array where /- or, in a jq path, an
index follows (.list[0]), else an object: in a pointer, 0 may well name a member.`,
		Example: cli.Example(`jtx set config.json /server/port 8080`, `jtx set config.json .server.host example.org --string`,
			`jtx set config.json -p /limits/cpu 2 /limits/delta -1 -m "limits"`),
		Args:              cli.Words(3, -1),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	s.flags.register(fs)
	fs.BoolVarP(&s.flags.parents, "parents", "p", false, "make missing parents of values, and directories of FILE")
	fs.BoolVar(&s.asString, "string", false, "take each VALUE as a string")
	cmd.RunE = a.Verb(s.run)
	return cmd
}

type setCommand struct {
	a        *app
	flags    changeFlags
	asString bool
}

func (s *setCommand) run(cmd *cobra.Command, args []string) error {
	file, pairs := args[0], args[1:]
	if len(pairs)%2 != 0 {
		return cli.Usagef("%s: PTR %s has no VALUE", cmd.CommandPath(), cli.QuoteWord(pairs[len(pairs)-1])).WithHint("usage: %s", cmd.UseLine())
	}
	var sets []change.Assignment
	for i := 0; i < len(pairs); i += 2 {
		ptr, arrays, err := change.Target(pairs[i])
		if err != nil {
			return err
		}
		v, err := cli.Value(fmt.Sprintf("the value for %s", cli.PlaceName(ptr)), pairs[i+1], s.asString)
		if err != nil {
			return err
		}
		sets = append(sets, change.Assignment{Ptr: ptr, Arrays: arrays, Value: v})
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

func (s *setCommand) one(tx *txn.Tx, file string, set change.Assignment) error {
	if s.flags.parents {
		return tx.SetPath(file, set.Ptr, set.Value, set.Arrays...)
	}
	err := tx.Set(file, set.Ptr, set.Value, set.Arrays...)
	// Tried, to see whether it would help; the transaction ends in err all the same.
	if errors.Is(err, txn.ErrConflict) && tx.SetPath(file, set.Ptr, set.Value, set.Arrays...) == nil {
		return &cli.Hinted{Err: err, Hint: "-p makes missing parent objects"}
	}
	return err
}
