package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

func newLog(a *app) *cobra.Command {
	l := &logCommand{a: a}
	cmd := &cobra.Command{
		Use:   "log [FILE ...]",
		Short: "the transactions that changed files",
		Long: `Lists the transactions that changed any FILE, newest first; where FILE is a
directory, any tracked file in or below it, as without FILE in the current one. Each is a line of its id, time,
actor, files and message, or what happened where there is none, separated by tabs; with
-p its patches follow, a line for each file. On a terminal ids are shortened, and what
a value was before is told. Changes made outside jtx are listed as it found them. With --json
each transaction is an object on a line of its own.`,
		Example:           cli.Example(`jtx set config.json /server/port 81 -m 'move'`, `jtx log -n 5 -p config.json`, `jtx log --since '2d ago'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	l.lock.register(fs)
	fs.BoolVarP(&l.patches, "patch", "p", false, "show what was changed")
	fs.IntVarP(&l.count, "number", "n", 0, "at most `N` transactions; 0: all")
	fs.StringVar(&l.since, "since", "", "only since a `TIME`, or a transaction's id")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error { return l.run(args) })
	return cmd
}

type logCommand struct {
	a       *app
	lock    lockFlags
	patches bool
	count   int
	since   string
}

func (l *logCommand) run(files []string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	if l.count < 0 {
		return cli.Usagef("-n %d: a number can't be negative", l.count)
	}
	s, err := l.a.openStore(&l.lock)
	if err != nil {
		return err
	}
	o := history.LogOptions{Patches: l.patches}
	if l.since != "" {
		if o.Since, err = l.a.parseMoment("--since", l.since); err != nil {
			return err
		}
	}
	p := l.a.people(s)
	o.Untold = !l.a.JSON // it is said what happened
	err = l.print(p, s, files, o)
	return errors.Join(err, p.Close())
}

// logPiece is how much is written at once, in bytes: what a pipe holds.
const logPiece = 60 << 10

func (l *logCommand) print(p *people, s *txn.Store, files []string, o history.LogOptions) error {
	var b bytes.Buffer
	var errs []error // of files that have no history, or whose history ends early
	n := 0
	for e, err := range history.Log(l.a.Ctx, s, files, o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		switch {
		case l.a.JSON:
			b.Write(cli.EncodeJSON(cli.NewEntryJSON(e, l.patches)))
		case p.Terminal:
			p.entry(&b, e, l.patches)
		default:
			p.plainEntry(&b, e, l.patches)
		}
		// In pieces, so that one who reads only the first line of a short log does
		// not end it by a signal.
		if p.Terminal || b.Len() > logPiece {
			if _, err := b.WriteTo(p); err != nil {
				return err
			}
		}
		if n++; n == l.count {
			break
		}
	}
	if n == 0 && errs == nil {
		l.a.Note("no transactions")
	}
	_, err := b.WriteTo(p)
	return cli.Several(append(errs, err)...)
}
