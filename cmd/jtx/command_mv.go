package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
)

func newMv(a *app) *cobra.Command {
	return newTransfer(a, "mv", "rename a file, with its history",
		`Moves the file A to B in one transaction over both, and prints TXID A@REV B@REV.
The history of B begins with the content of A; jtx log says which revision of which
file that was, and undo of the transaction takes both back. The history
of A stays under its name. B keeps the mode, owner and attributes of A. Where B is a
directory the file goes into it. Where B is there already it is a conflict (3);
with -f it is replaced, and allows nobody what A or the old B did not.`, (*txn.Store).Move)
}

func newCp(a *app) *cobra.Command {
	return newTransfer(a, "cp", "copy a file; its history says from where",
		`Copies the file A to B in a transaction, and prints TXID B@REV. jtx log says which
revision of which file B is a copy of. B has the mode, owner
and attributes of A. Where B is a directory the copy goes into it. Where B is there
already it is a conflict (3); with -f it is replaced, and allows nobody what A or
the old B did not.`, (*txn.Store).Copy)
}

type transferFunc func(s *txn.Store, ctx context.Context, from, to string, opts ...txn.Option) (txn.Result, error)

func newTransfer(a *app, name, short, long string, do transferFunc) *cobra.Command {
	t := &transferCommand{a: a, do: do, name: name}
	cmd := &cobra.Command{
		Use:               name + " A B",
		Short:             short,
		Long:              long,
		Example:           cli.Example("jtx "+name+" config.json settings.json", "jtx log settings.json"),
		Args:              cli.Words(2, 2),
		ValidArgsFunction: completeFiles,
	}
	t.flags.register(cmd.Flags())
	t.flags.registerParents(cmd.Flags())
	t.inside.register(cmd.Flags())
	cmd.Flags().BoolVarP(&t.force, "force", "f", false, "replace B where it is there")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error { return t.run(args[0], args[1]) })
	return cmd
}

type transferCommand struct {
	a      *app
	name   string
	do     transferFunc
	flags  commitFlags
	inside txFlags
	force  bool
}

func (t *transferCommand) run(from, to string) error {
	if err := t.inside.refuse(t.name, "jtx commit comes first"); err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		to = filepath.Join(to, filepath.Base(from))
	}
	names := []string{from, to}
	if err := cli.CheckFiles(names); err != nil {
		return err
	}
	if err := checkChangeable(names); err != nil {
		return err
	}
	s, err := t.a.openStore(&t.flags.lockFlags)
	if err != nil {
		return err
	}
	opts, err := t.flags.options(s)
	if err != nil {
		return err
	}
	if t.force {
		opts = append(opts, txn.Replacing())
	}
	res, err := t.do(s, t.a.Ctx, from, to, opts...)
	if errors.Is(err, txn.ErrExists) {
		return &cli.Hinted{Err: err, Hint: "-f replaces it"}
	}
	if err != nil {
		return t.flags.noDirectory([]string{to}, err)
	}
	return t.a.PrintOutcome(cli.NewOutcome(res, names, t.flags.dryRun))
}
