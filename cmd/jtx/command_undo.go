package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

func newUndo(a *app) *cobra.Command {
	var flags commitFlags
	var inside txFlags
	cmd := &cobra.Command{
		Use:   "undo TX",
		Short: "take a transaction back",
		Long: `Takes the transaction TX back, in all its files, in a new transaction, and prints
TXID FILE@REV ... ; FILE@REV is the transaction that made it. TX need not be the newest: what was changed since stays. Where
a later transaction changed the same place it is a conflict (3), which names both
changes, and nothing is changed. An undo can be undone.`,
		Example: cli.Example(`TX=$(jtx set config.json /server/port 81 | cut -d ' ' -f 1)`, `jtx set config.json /server/host '"example.org"'`, `jtx undo $TX`),
		Args:    cli.Words(1, 1),
	}
	flags.register(cmd.Flags())
	inside.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		if err := inside.refuse("undo", "jtx show TX prints the patch to take back by jtx patch"); err != nil {
			return err
		}
		s, err := a.openStore(&flags.lockFlags)
		if err != nil {
			return err
		}
		id, err := a.transactionOf(s, args[0])
		if err != nil {
			return err
		}
		opts, err := flags.options(s)
		if err != nil {
			return err
		}
		res, err := s.Undo(a.Ctx, id, opts...)
		if err != nil {
			return err
		}
		return a.PrintOutcome(cli.NewOutcome(res, nil, flags.dryRun))
	})
	return cmd
}
