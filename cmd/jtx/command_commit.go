package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func newCommit(a *app) *cobra.Command {
	var flags commitFlags
	var rebase bool
	cmd := &cobra.Command{
		Use:   "commit [TX]",
		Short: "commit an open transaction, all or nothing",
		Long: `Commits the open transaction TX (default $JTX_TX) and prints TXID FILE@REV ... .
Where somebody else changed one of its files since it began, the exit code is 3,
nothing is changed, and it stays open; --rebase applies it to the changed files,
where no place that it read or changed is touched by theirs. One that was committed
before is not committed again: its line is printed, with a note, and the exit code is 0,
so that a script which lost the answer may ask again.`,
		Example: cli.Example(`tx=$(jtx begin a.json)`, `jtx set --tx $tx a.json /n 1`, `jtx commit $tx -m "set n"`),
		Args:    cli.Words(0, 1),
	}
	flags.register(cmd.Flags())
	flags.registerParents(cmd.Flags())
	cmd.Flags().BoolVar(&rebase, "rebase", false, "apply it again to files that were changed meanwhile")
	cmd.RunE = a.Verb(func(cmd *cobra.Command, args []string) error {
		s, t, err := a.resume(cmd, flags.lockFlags, args)
		var before *committedBefore
		if errors.As(err, &before) {
			a.Note("note: %s", before.text())
			return a.PrintOutcome(before.outcome())
		}
		if err != nil {
			return err
		}
		opts, err := flags.options(s)
		if err != nil {
			return err
		}
		res, err := t.Commit(a.Ctx, txn.CommitOptions{Rebase: rebase, Options: opts})
		if errors.Is(err, txn.ErrConflict) {
			return &cli.Hinted{Err: err, Hint: commitHint(err, t.ID(), rebase)}
		}
		if err != nil {
			return flags.noDirectory(filesIn(t), err)
		}
		return a.PrintOutcome(cli.NewOutcome(res, nil, flags.dryRun))
	})
	return cmd
}

func filesIn(t *txn.OpenTx) []string {
	var names []string
	for _, f := range t.Info().Files {
		names = append(names, cli.Shown(f.File))
	}
	return names
}

func commitHint(err error, id string, rebased bool) string {
	if errors.Is(err, lockmgr.ErrLeaseBroken) {
		return "what it held may have changed, so that it can't commit any more, nor with --rebase; jtx get --tx " + id + " FILE still shows what it made of a file: " +
			"take what is needed from that, jtx abort " + id + " forgets it, and jtx begin --lock begins anew (--ttl gives it more time)"
	}
	if rebased {
		return "the transaction stays open; jtx abort " + id + " forgets it"
	}
	return "the transaction stays open; jtx commit --rebase " + id + " applies it again, jtx abort " + id + " forgets it"
}

// resume opens the transaction that the words name, or $JTX_TX.
func (a *app) resume(cmd *cobra.Command, lock lockFlags, args []string) (*txn.Store, *txn.OpenTx, error) {
	id := append(args, os.Getenv("JTX_TX"))[0]
	if id == "" {
		return nil, nil, cli.Usagef("%s: missing word TX, and $JTX_TX names no transaction", cmd.CommandPath()).
			WithHint("usage: %s; jtx tx lists the open transactions, jtx begin opens one", cmd.UseLine())
	}
	opt, err := lock.options()
	if err != nil {
		return nil, nil, err
	}
	s, err := a.Store(opt)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.resumed(s, id)
	return s, t, err
}

// notOpen is err, that there is no such open transaction, or a *committedBefore where
// that is because it was committed.
func (a *app) notOpen(s *txn.Store, word string, err error) error {
	unknown := &cli.Hinted{Err: err, Hint: "jtx tx lists the open transactions"}
	id, bad := wal.ParseID(word)
	if bad != nil {
		return unknown
	}
	e, gone := history.Show(a.Ctx, s, id)
	if gone != nil || e.ID != id {
		return unknown
	}
	said := &committedBefore{Entry: e}
	said.as = (&cli.Error{Exit: cli.ExitNo, Msg: said.text()}).WithHint("jtx show %s tells what it changed", id)
	return said
}

// committedBefore says that a transaction is not open, since it was committed. It is an
// error but for whoever wants just that.
type committedBefore struct {
	history.Entry
	as error
}

func (c *committedBefore) Error() string { return c.as.Error() }

func (c *committedBefore) Unwrap() error { return c.as }

func (c *committedBefore) text() string {
	return fmt.Sprintf("transaction %s was committed already, at %s", c.ID, cli.TimeText(c.Time))
}

// outcome is what its commit printed.
func (c *committedBefore) outcome() cli.Outcome {
	res := txn.Result{ID: c.ID}
	for _, f := range c.Files {
		res.Files = append(res.Files, txn.Revision{File: f.File, Rev: f.Rev, Changed: true})
	}
	return cli.NewOutcome(res, nil, false)
}
