package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
		Example:           example(`jtx run a.json b.json -- sh -c 'jtx set a.json /n 1 && jtx set b.json /n 2'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	r.flags.register(fs)
	fs.DurationVar(&r.ttl, "ttl", txn.DefaultTxTTL, "end the leases after this time")
	cmd.RunE = a.verb(r.run)
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
		return usagef("%s: missing -- CMD", cmd.CommandPath()).withHint("usage: %s", cmd.UseLine())
	}
	files, command := args[:dash], args[dash:]
	if err := errors.Join(checkFiles(files), checkChangeable(files)); err != nil {
		return err
	}
	if r.ttl <= 0 {
		return usagef("--ttl %s: want a time above zero", r.ttl)
	}
	opt, err := r.flags.lockFlags.options()
	if err != nil {
		return err
	}
	s, err := r.a.store(opt)
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
	self := lockmgr.Self()
	t, err := s.Begin(r.a.ctx, files, txn.BeginOptions{
		Lock: len(files) > 0 && !r.flags.dryRun, Apart: r.flags.dryRun, TTL: r.ttl, Owner: &self, Actor: r.flags.actor, Message: r.flags.message,
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
	outer, err := s.Resume(r.a.ctx, id)
	if errors.Is(err, txn.ErrNotFound) {
		return nil // it has ended, and holds nothing
	}
	if err != nil {
		return err
	}
	info := outer.Info()
	for _, f := range files {
		if !info.Expires.IsZero() && outer.Has(f) {
			return usagef("%s is held by transaction %s, which this command is part of", quoteWord(f), info.ID).
				withHint("every jtx in it works inside that transaction already, without another run")
		}
	}
	return nil
}

// in runs the command inside t and ends t, whatever comes.
func (r *runCommand) in(t *txn.OpenTx, command []string, opts []txn.Option) error {
	// A signal is for the command; what is left to do then is short, and must
	// be done.
	ctx := context.WithoutCancel(r.a.ctx)
	if err := r.child(t.ID(), command); err != nil {
		if gone := ignoreGone(t.Abort(ctx)); gone != nil {
			r.a.warn("the transaction could not be forgotten: " + messageOf(gone))
		}
		return err
	}
	res, err := t.Commit(ctx, txn.CommitOptions{Options: opts})
	if err == nil && r.flags.dryRun {
		err = t.Abort(ctx)
	}
	if err != nil && !errors.Is(err, txn.ErrInDoubt) {
		return errors.Join(err, ignoreGone(t.Abort(ctx)))
	}
	if err != nil {
		return err
	}
	return r.report(newOutcome(res, nil, r.flags.dryRun))
}

// report prints the outcome as a message: standard output is the command's.
func (r *runCommand) report(o outcome) error {
	out := *r.a
	out.stdout = r.a.stderr
	return out.printOutcome(o)
}

func ignoreGone(err error) error {
	if errors.Is(err, txn.ErrNotFound) {
		return nil
	}
	return err
}

// child runs the command to its end. Its failure is a *childError.
func (r *runCommand) child(id string, command []string) error {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = r.a.stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), "JTX_TX="+id)
	return r.a.runChild(c)
}

// cannotStart has the exit codes that shells give: 127 where there is no such
// command, 126 where it can't be run.
func cannotStart(name string, err error) error {
	code := 126
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = 127
	}
	return &cliError{exit: code, msg: quoteWord(name) + " can't be run", err: err}
}
