package main

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func newDel(a *app) *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "del FILE PTR ...",
		Short: "remove values",
		Long: `Removes the value at each PTR, all in one transaction, and prints TXID FILE@REV.

The PTRs name places in the document as it was: jtx del f /list/0 /list/1
removes the first two elements. The exit code is 1, and nothing is changed,
where there is nothing at one of them.`,
		Example:           cli.Example(`jtx del config.json /server/host`, `jtx del list.json /0 /1`),
		Args:              cli.Words(2, -1),
		ValidArgsFunction: completeFiles,
	}
	flags.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		file := args[0]
		ptrs, err := deletions(args[1:])
		if err != nil {
			return err
		}
		return a.change(&flags, []string{file}, func(tx *txn.Tx) error {
			for _, ptr := range ptrs {
				if err := tx.Delete(file, ptr); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return cmd
}

// deletions orders pointers so that removing one leaves the places of those that
// follow: what is inside before what it is in, and later elements first.
func deletions(words []string) ([]string, error) {
	ptrs, err := parsePlaces(words)
	if err != nil {
		return nil, err
	}
	parsed := make([]jsonpatch.Pointer, len(ptrs))
	for i, ptr := range ptrs {
		if parsed[i], err = jsonpatch.ParsePointer(ptr); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(parsed, func(a, b jsonpatch.Pointer) int { return slices.CompareFunc(b, a, compareTokens) })
	parsed = slices.CompactFunc(parsed, func(a, b jsonpatch.Pointer) bool { return slices.Equal(a, b) })
	ordered := make([]string, len(parsed))
	for i, p := range parsed {
		ordered[i] = p.String()
	}
	return ordered, nil
}

// compareTokens compares indices by number and all else by bytes.
func compareTokens(a, b string) int {
	m, errA := strconv.ParseUint(a, 10, 63)
	n, errB := strconv.ParseUint(b, 10, 63)
	if errA == nil && errB == nil && m != n {
		return cmp.Compare(m, n)
	}
	return cmp.Compare(a, b)
}
