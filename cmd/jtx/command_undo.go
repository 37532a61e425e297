package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func newUndo(a *app) *cobra.Command {
	u := &undoCommand{a: a}
	cmd := &cobra.Command{
		Use:   "undo TX ... | --since TX",
		Short: "take transactions back",
		Long: `Takes each transaction TX back, in all its files, in one new transaction, and prints
TXID FILE@REV ... ; FILE@REV is the transaction that made it. TX need not be the
newest: what was changed since stays, and what comes back has its old text, with its
comments. Undoing the newest first always works back, byte for byte. Where a later
transaction changed the same place it is a conflict (3), which names both changes, and
nothing is changed. An undo can be undone.

--since takes back TX and all that came after it, in all files of the workspace, whoever
did it; on a terminal it lists that first.`,
		Example: cli.Example(`TX=$(jtx set config.json /server/port 81 | cut -d ' ' -f 1)`, `jtx set config.json /server/host '"example.org"'`, `jtx undo $TX`, `jtx undo --since config.json@1`),
		Args:    cli.Words(0, -1),
	}
	u.flags.register(cmd.Flags())
	u.inside.register(cmd.Flags())
	cmd.Flags().StringVar(&u.since, "since", "", "take back `TX` and all that came after it")
	cmd.RunE = a.Verb(u.run)
	return cmd
}

type undoCommand struct {
	a      *app
	flags  commitFlags
	inside txFlags
	since  string
}

func (u *undoCommand) run(cmd *cobra.Command, args []string) error {
	if (u.since == "") == (len(args) == 0) {
		return cli.Usagef("%s: want either TX ... or --since TX", cmd.CommandPath()).WithHint("usage: %s", cmd.UseLine())
	}
	if err := u.inside.refuse("undo", "jtx show TX prints the patch to take back by jtx patch"); err != nil {
		return err
	}
	s, err := u.a.openStore(&u.flags.lockFlags)
	if err != nil {
		return err
	}
	ids, err := u.transactions(s, args)
	if err != nil {
		return err
	}
	opts, err := u.flags.options(s)
	if err != nil {
		return err
	}
	res, err := history.UndoAll(u.a.Ctx, s, ids, opts...)
	if err != nil {
		return err
	}
	return u.a.PrintOutcome(cli.NewOutcome(res, nil, u.flags.dryRun))
}

func (u *undoCommand) transactions(s *txn.Store, args []string) ([]wal.ID, error) {
	if u.since == "" {
		var ids []wal.ID
		for _, word := range args {
			id, err := u.a.transactionOf(s, word)
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
		return ids, nil
	}
	first, err := u.a.transactionOf(s, u.since)
	if err != nil {
		return nil, err
	}
	entries, err := history.Since(u.a.Ctx, s, first)
	if err != nil {
		return nil, err
	}
	var ids []wal.ID
	for _, e := range entries {
		ids = append(ids, e.ID)
		if cli.IsTerminal(u.a.Stderr) && !u.a.Quiet && !u.a.JSON {
			who := e.Actor
			if e.Foreign {
				who = "another program"
			}
			u.a.Message(fmt.Sprintf("takes back %s  %s  %s  %s", e.ID, e.Time.Format("2006-01-02T15:04:05Z"), who, cli.Told(e)))
		}
	}
	return ids, nil
}
