package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
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
		ptrs, err := change.Places(args[1:])
		if err != nil {
			return err
		}
		return a.change(&flags, []string{file}, func(tx *txn.Tx) error { return change.Delete(tx, file, ptrs) })
	})
	return cmd
}
