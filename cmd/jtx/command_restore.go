package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

func newRestore(a *app) *cobra.Command {
	r := &restoreCommand{a: a}
	cmd := &cobra.Command{
		Use:   "restore FILE[@VERSION] | --all --at TIME | --from BACKUP [FILE ...]",
		Short: "bring an old version back",
		Long: `Brings a version of FILE back, byte for byte, in a new transaction, and prints
TXID FILE@REV. Without a version it is the last good one: what the file held
before it was deleted, truncated or overwritten with something that is no JSON.
Damaged bytes are kept below .jtx.

With --all every tracked file in or below the current directory is brought to
its state at the time, or the transaction, of --at; files that jtx made later are
removed. With --from FILEs, or all files, are brought back as a backup has them.`,
		Example:           cli.Example(`jtx set config.json /server/port 81`, `rm config.json`, `jtx restore config.json`, `jtx restore config.json@1`),
		Args:              cli.Words(0, -1),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	r.flags.register(fs)
	r.inside.register(fs)
	r.at.register(fs)
	fs.StringVar(&r.from, "from", "", "from this `BACKUP`, see jtx backup")
	fs.BoolVar(&r.all, "all", false, "every tracked file, to the state of --at")
	cmd.RunE = a.Verb(func(cmd *cobra.Command, args []string) error {
		if err := r.inside.refuse("restore", "jtx get FILE@VERSION | jtx put FILE stages an old version"); err != nil {
			return err
		}
		switch {
		case r.from != "" && (r.all || r.at.at != ""):
			return cli.Usagef("--from excludes --all and --at: a backup has one state")
		case r.from != "":
			return r.runFrom(args)
		case len(args) > 1:
			return cli.Usagef("too many words: %s", cli.QuoteWord(args[1])).WithHint("usage: %s", cmd.UseLine())
		case r.all && len(args) > 0:
			return cli.Usagef("--all and FILE exclude each other")
		case r.all && r.at.at == "":
			return cli.Usagef("--all needs --at TIME")
		case !r.all && len(args) == 0:
			return cli.Missing(cmd)
		}
		return r.run(args)
	})
	return cmd
}

type restoreCommand struct {
	a      *app
	flags  commitFlags
	inside txFlags
	at     atFlags
	all    bool
	from   string
}

// runFrom brings files back from a backup.
func (r *restoreCommand) runFrom(files []string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	s, err := r.a.openStore(&r.flags.lockFlags)
	if err != nil {
		return err
	}
	if r.flags.message == "" {
		r.flags.message = "restore from " + filepath.Base(r.from)
	}
	opts, err := r.flags.options(s)
	if err != nil {
		return err
	}
	res, err := admin.RestoreBackup(r.a.Ctx, s, r.from, files, opts...)
	if errors.Is(err, fs.ErrNotExist) && len(res.Files) == 0 {
		if _, gone := os.Lstat(r.from); gone != nil {
			return noBackup(r.from)
		}
	}
	return r.done(res, nil, err)
}

func (r *restoreCommand) run(args []string) error {
	s, err := r.a.openStore(&r.flags.lockFlags)
	if err != nil {
		return err
	}
	var v versioned
	if r.all {
		v.text = r.at.at
		if v.point, err = r.a.parseMoment("--at", v.text); err != nil {
			return err
		}
	} else if v, err = r.a.versionOf(args[0], r.at.at); err != nil {
		return err
	}
	if r.flags.message == "" {
		r.flags.message = restoreMessage(v)
	}
	opts, err := r.flags.options(s)
	if err != nil {
		return err
	}
	var res txn.Result
	var names []string
	if r.all {
		res, err = history.RestoreAll(r.a.Ctx, s, v.point, opts...)
	} else {
		names = []string{v.file}
		res, err = history.Restore(r.a.Ctx, s, names, v.point, opts...)
	}
	return r.done(res, names, err)
}

// done tells what was brought back, and what was not.
func (r *restoreCommand) done(res txn.Result, names []string, err error) error {
	if err != nil && len(res.Files) == 0 {
		return cli.Several(err)
	}
	for _, d := range res.Recovered {
		if d.Aside != "" {
			r.a.Tell("the damaged bytes are kept in " + cli.QuoteWord(cli.Shown(d.Aside)))
		}
	}
	o := cli.NewOutcome(res, names, r.flags.dryRun)
	o.Single = names != nil
	return cli.Several(r.a.PrintOutcome(o), err)
}

func restoreMessage(v versioned) string {
	switch {
	case v.file == "":
		return "restore all at " + v.text
	case v.text == "":
		return "restore"
	default:
		return fmt.Sprintf("restore version %s", v.text)
	}
}
