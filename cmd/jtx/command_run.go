package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
)

func newRun(a *app) *cobra.Command {
	r := &runCommand{a: a}
	cmd := &cobra.Command{
		Use:   "run FILE ... -- CMD ...",
		Short: "run a command with FILEs as one transaction",
		Long: `Opens a transaction that holds leases on FILEs, and runs CMD with its id in
$JTX_TX, so that every jtx in CMD works inside it. Where CMD's exit code is 0 the
transaction is committed, else it is forgotten. CMD's exit code passes through;
only a failure of jtx's own prints an "error:" line. Standard output is CMD's
alone. With --dry-run CMD runs too, but holds no lease: what jtx in it does is
printed, and forgotten.`,
		Example:           cli.Example(`jtx run a.json b.json -- sh -c 'jtx set a.json /n 1 && jtx set b.json /n 2'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	r.flags.register(fs)
	fs.DurationVar(&r.ttl, "ttl", txn.DefaultTxTTL, "end the leases after this time")
	cmd.RunE = a.Verb(r.run)
	return cmd
}

type runCommand struct {
	a     *app
	flags commitFlags
	ttl   time.Duration
}

func (r *runCommand) run(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	if dash < 0 || dash == len(args) {
		return cli.Usagef("%s: missing -- CMD", cmd.CommandPath()).WithHint("usage: %s", cmd.UseLine())
	}
	files, command := args[:dash], args[dash:]
	if err := errors.Join(cli.CheckFiles(files), checkChangeable(files)); err != nil {
		return err
	}
	if r.ttl <= 0 {
		return cli.Usagef("--ttl %s: want a time above zero", r.ttl)
	}
	opt, err := r.flags.lockFlags.options()
	if err != nil {
		return err
	}
	s, err := r.a.Store(opt)
	if err != nil {
		return err
	}
	opts, err := r.flags.options(s)
	if err != nil {
		return err
	}
	if err := r.checkNested(s, files); err != nil {
		return err
	}
	t, err := s.Begin(r.a.Ctx, files, txn.BeginOptions{
		Lock: len(files) > 0 && !r.flags.dryRun, Apart: r.flags.dryRun, TTL: r.ttl, Kept: true, Actor: r.flags.actor, Message: r.flags.message,
		Command: strings.Join(append([]string{"jtx run"}, command[0]), " "),
	})
	if err != nil {
		return err
	}
	return r.in(t, command, opts)
}

// checkNested refuses files that the transaction around this command holds: its
// leases would be waited for, and it waits for this command.
func (r *runCommand) checkNested(s *txn.Store, files []string) error {
	id := os.Getenv("JTX_TX")
	if id == "" || len(files) == 0 {
		return nil
	}
	outer, err := s.Resume(r.a.Ctx, id)
	if errors.Is(err, txn.ErrNotFound) {
		return nil // it has ended, and holds nothing
	}
	if err != nil {
		return err
	}
	info := outer.Info()
	for _, f := range files {
		if !info.Expires.IsZero() && outer.Has(f) {
			return cli.Usagef("%s is held by transaction %s, which this command is part of", cli.QuoteWord(f), info.ID).
				WithHint("every jtx in it works inside that transaction already, without another run")
		}
	}
	return nil
}

// in runs the command inside t and ends t, whatever comes.
func (r *runCommand) in(t *txn.OpenTx, command []string, opts []txn.Option) error {
	// A signal is for the command; what is left to do then is short, and must
	// be done.
	ctx := context.WithoutCancel(r.a.Ctx)
	if err := r.child(t.ID(), command); err != nil {
		if gone := ignoreGone(t.Abort(ctx)); gone != nil {
			r.a.Warn("the transaction could not be forgotten: " + cli.MessageOf(gone))
		}
		return err
	}
	res, err := t.Commit(ctx, txn.CommitOptions{Options: opts})
	if err == nil && r.flags.dryRun {
		err = t.Abort(ctx)
	}
	if err != nil && !errors.Is(err, txn.ErrInDoubt) {
		if errors.Is(err, txn.ErrConflict) && !errors.Is(err, lockmgr.ErrLeaseBroken) {
			err = &cli.Hinted{Err: err, Hint: "the files were held for " + cli.QuoteWord(command[0]) + ", so that it was no jtx: a program that writes them by itself did it, " +
				"most likely in that command; in it, change them by jtx (jtx rewrite SCRIPT shows how)"}
		}
		if gone := ignoreGone(t.Abort(ctx)); gone != nil {
			r.a.Warn("the transaction could not be forgotten: " + cli.MessageOf(gone))
		}
		return err
	}
	if err != nil {
		return err
	}
	return r.report(cli.NewOutcome(res, nil, r.flags.dryRun))
}

// report prints the outcome as a message: standard output is the command's.
func (r *runCommand) report(o cli.Outcome) error {
	out := *r.a.App
	out.Stdout = r.a.Stderr
	return out.PrintOutcome(o)
}

func ignoreGone(err error) error {
	if errors.Is(err, txn.ErrNotFound) {
		return nil
	}
	return err
}

// child runs the command to its end. Its failure is a *ChildError.
func (r *runCommand) child(id string, command []string) error {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = r.a.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), "JTX_TX="+id)
	return r.a.RunChild(c)
}
