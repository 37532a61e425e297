package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
)

func newBegin(a *app) *cobra.Command {
	b := &beginCommand{a: a}
	cmd := &cobra.Command{
		Use:   "begin [FILE ...]",
		Short: "open a transaction, print its id",
		Long: `Opens a transaction and prints its id. It is kept on disk, so that several
commands can work on it: name it with --tx or $JTX_TX. FILEs are pinned at their
revisions; other files join when they are first used.

It holds no lock: where somebody else changes a file before the commit, that is
a conflict. With --lock it holds leases on FILEs until it ends; --owner PID ends
them also when that process dies, and --ttl when the time is over. For those who
can't see that process, in another container for instance, --ttl is 5m unless said.

The id is printed with -q too: nobody could end the transaction without it.`,
		Example: cli.Example(`tx=$(jtx begin a.json b.json)`, `jtx apply $tx a.json '[{"op": "replace", "path": "/n", "value": 1}]'`,
			`jtx set --tx $tx b.json /n 2`, `jtx commit $tx`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	b.lock.register(fs)
	fs.BoolVar(&b.lease, "lock", false, "hold a lease on each FILE")
	fs.IntVar(&b.owner, "owner", 0, "end the leases when process `PID` dies")
	fs.DurationVar(&b.ttl, "ttl", 0, "end the leases after this time (default 5m, with --owner 24h)")
	fs.StringVarP(&b.message, "message", "m", "", "recorded with the commit")
	fs.StringVar(&b.actor, "actor", "", "recorded as who did it (default $JTX_ACTOR, else the user)")
	cmd.RunE = a.Verb(b.run)
	return cmd
}

type beginCommand struct {
	a              *app
	lock           lockFlags
	lease          bool
	owner          int
	ttl            time.Duration
	message, actor string
}

func (b *beginCommand) run(cmd *cobra.Command, files []string) error {
	if err := errors.Join(cli.CheckFiles(files), checkChangeable(files)); err != nil {
		return err
	}
	o, err := b.options(cmd, files)
	if err != nil {
		return err
	}
	opt, err := b.lock.options()
	if err != nil {
		return err
	}
	s, err := b.a.Store(opt)
	if err != nil {
		return err
	}
	t, err := s.Begin(b.a.Ctx, files, o)
	if err != nil {
		return err
	}
	if err := b.print(t); err != nil {
		// Nobody knows its name, so that nobody could end it.
		return errors.Join(err, t.Abort(context.WithoutCancel(b.a.Ctx)))
	}
	return nil
}

func (b *beginCommand) print(t *txn.OpenTx) error {
	if b.a.JSON {
		return b.a.Emit(cli.EncodeJSON(newTxJSON(t.Info())))
	}
	return b.a.Emit([]byte(t.ID() + "\n"))
}

func (b *beginCommand) options(cmd *cobra.Command, files []string) (txn.BeginOptions, error) {
	o := txn.BeginOptions{Lock: b.lease, TTL: b.ttl, Actor: b.actor, Message: b.message, Command: "jtx begin"}
	owned := cmd.Flags().Changed("owner")
	switch {
	case b.ttl < 0:
		return o, cli.Usagef("--ttl %s: a time can't be negative", b.ttl)
	case !b.lease && (owned || b.ttl > 0):
		return o, cli.Usagef("--owner and --ttl are about leases").WithHint("--lock takes them")
	case b.lease && len(files) == 0:
		return o, cli.Usagef("--lock holds the FILEs that are named, and none is")
	case !owned:
		return o, nil
	}
	p, err := lockmgr.ProcessOf(b.owner)
	if errors.Is(err, os.ErrProcessDone) {
		return o, cli.Usagef("--owner %d: no such process", b.owner).WithHint("in a shell script $$ is the script's own process")
	}
	o.Owner = &p
	return o, err
}
