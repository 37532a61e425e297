package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
)

func newSet(a *app) *cobra.Command {
	s := &setCommand{a: a}
	cmd := &cobra.Command{
		Use:   "set FILE PTR VALUE [PTR VALUE ...]",
		Short: "set values",
		Long: `Sets the value at each PTR, all in one transaction, and prints TXID FILE@REV.

VALUE is JSON; --string takes each VALUE as a string. A file that is not there
is made. A PTR that ends in /- appends to an array.`,
		Example: example(`jtx set config.json /server/port 8080`, `jtx set config.json .server.host example.org --string`,
			`jtx set config.json -p /limits/cpu 2 /limits/delta -1 -m "limits"`),
		Args:              words(3, -1),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	s.flags.register(fs)
	fs.BoolVarP(&s.parents, "parents", "p", false, "make missing parent objects")
	fs.BoolVar(&s.asString, "string", false, "take each VALUE as a string")
	cmd.RunE = a.verb(s.run)
	return cmd
}

type setCommand struct {
	a                 *app
	flags             changeFlags
	parents, asString bool
}

func (s *setCommand) run(cmd *cobra.Command, args []string) error {
	file, pairs := args[0], args[1:]
	if len(pairs)%2 != 0 {
		return usagef("%s: PTR %s has no VALUE", cmd.CommandPath(), quoteWord(pairs[len(pairs)-1])).withHint("usage: %s", cmd.UseLine())
	}
	var ptrs []string
	var values [][]byte
	for i := 0; i < len(pairs); i += 2 {
		ptr, err := parsePlace(pairs[i])
		if err != nil {
			return err
		}
		v, err := value(fmt.Sprintf("the value for %s", placeName(ptr)), pairs[i+1], s.asString)
		if err != nil {
			return err
		}
		ptrs, values = append(ptrs, ptr), append(values, v)
	}
	return s.a.change(&s.flags, []string{file}, func(tx *txn.Tx) error {
		for i, ptr := range ptrs {
			if err := s.one(tx, file, ptr, values[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *setCommand) one(tx *txn.Tx, file, ptr string, value json.RawMessage) error {
	if s.parents {
		return tx.SetPath(file, ptr, value)
	}
	err := tx.Set(file, ptr, value)
	// Tried, to see whether it would help; the transaction ends in err all the same.
	if errors.Is(err, txn.ErrConflict) && tx.SetPath(file, ptr, value) == nil {
		return &hinted{err, "-p makes missing parent objects"}
	}
	return err
}

// placeName is a pointer for people.
func placeName(ptr string) string {
	if ptr == "" {
		return "the whole document"
	}
	return quoteWord(ptr)
}
