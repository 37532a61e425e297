package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newRm(a *app) *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:               "rm FILE",
		Short:             "delete the file; its history stays",
		Long:              "Deletes the file in a transaction, and prints TXID FILE@REV. Its history stays. The exit code is 1 where there is no such file.",
		Example:           cli.Example(`jtx rm config.json`),
		Args:              cli.Words(1, 1),
		ValidArgsFunction: completeFiles,
	}
	flags.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		return a.change(&flags, args, func(tx *txn.Tx) error { return tx.Remove(args[0]) })
	})
	return cmd
}
