package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

func newWatch(a *app) *cobra.Command {
	w := &watchCommand{a: a}
	cmd := &cobra.Command{
		Use:   "watch [FILE ...]",
		Short: "follow commits as they happen",
		Long: `Prints each transaction that changes any FILE, of whatever process, as an object on
a line of its own, once it is committed; on a terminal, without --json, as jtx log
does, with the time. Without FILE, of any tracked file in or
below the current directory, new ones too. No transaction is left out and none
comes twice. A change made outside jtx is recorded when it is seen, and printed
with "foreign": true.

--since begins in the past: with what was committed behind a time, or a
transaction; or, given as FILE@REV, behind that revision of the file, which goes
before the others. To resume where a reader was cut off, give it FILE@REV with the
last "rev" that was read of each file, and the time or transaction that the watch
began with for the files that had none. What retention has dropped meanwhile is an
error (1).

--exec runs a shell command for each transaction, one after the other, with the
printed line on its standard input, the id in $JTX_WATCH_TX and the names of the
files, one per line, in $JTX_WATCH_FILES. What it prints goes to standard error;
its failure is reported, and the watch goes on.`,
		Example:           cli.Example(`jtx set config.json /server/port 81`, `jtx watch -n 2 --since '1h ago' config.json`, `jtx watch -n 1 --since config.json@1 --exec 'echo "$JTX_WATCH_FILES"'`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	w.lock.register(fs)
	fs.StringArrayVar(&w.since, "since", nil, "begin behind a `POINT`: a time, a transaction's id, or FILE@REV; repeatable")
	fs.StringVar(&w.command, "exec", "", "a shell `COMMAND` to run for each transaction")
	fs.BoolVarP(&w.patches, "patch", "p", false, "with what was changed")
	fs.IntVarP(&w.count, "number", "n", 0, "end after `N` transactions; 0: never")
	fs.DurationVar(&w.poll, "poll", history.DefaultPoll, "how often to look where the file system tells of no changes")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error { return w.run(args) })
	return cmd
}

type watchCommand struct {
	a       *app
	lock    lockFlags
	since   []string
	command string
	patches bool
	count   int
	poll    time.Duration
}

func (w *watchCommand) run(files []string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	o, err := w.options()
	if err != nil {
		return err
	}
	opt, err := w.lock.options()
	if err != nil {
		return err
	}
	opt.OnSkipped = w.a.SkipNow
	w.a.EndUnread()
	s, err := w.a.Store(opt)
	if err != nil {
		return err
	}
	err = w.follow(s, files, o)
	if w.a.Ctx.Err() != nil {
		return endOfWatch(w.a.Ctx)
	}
	return err
}

func (w *watchCommand) options() (history.WatchOptions, error) {
	o := history.WatchOptions{Patches: w.patches, Poll: w.poll, After: map[string]uint64{}}
	switch {
	case w.count < 0:
		return o, cli.Usagef("-n %d: a number can't be negative", w.count)
	case w.poll <= 0:
		return o, cli.Usagef("--poll %s: want more than no time", w.poll)
	}
	timed := false
	for _, word := range w.since {
		file, version, kind := splitVersion(word)
		if rev, err := strconv.ParseUint(version, 10, 64); kind == revision && err == nil && file != "" {
			o.After[file] = rev
			continue
		}
		if timed {
			return o, cli.Usagef("--since %s: only one time or transaction can be given, besides FILE@REV", cli.QuoteWord(word))
		}
		p, err := w.a.parseMoment("--since", word)
		if err != nil {
			return o, err
		}
		timed, o.Since = true, p
	}
	return o, nil
}

func (w *watchCommand) follow(s *txn.Store, files []string, o history.WatchOptions) error {
	shows := w.a.people(s)
	o.Patches = o.Patches || shows.Terminal // they say what happened
	n := 0
	for e, err := range history.Watch(w.a.Ctx, s, files, o) {
		if err != nil {
			return err
		}
		line := cli.EncodeJSON(cli.NewEntryJSON(e, w.patches))
		if err := w.tell(shows, e, line); err != nil {
			return err
		}
		if err := w.exec(e, line); err != nil {
			return err
		}
		if n++; n == w.count {
			break
		}
	}
	return nil
}

// tell prints a transaction when it has happened, so without a pager.
func (w *watchCommand) tell(shows *people, e history.Entry, line []byte) error {
	if !shows.Terminal {
		return w.a.Write(line)
	}
	var b bytes.Buffer
	b.WriteString(shows.line(e, e.Time.Local().Format(time.TimeOnly)) + "\n")
	if w.patches {
		shows.changes(&b, e)
	}
	return w.a.Write(b.Bytes())
}

// execGrace is how long a command may take to end when the watch is told to.
const execGrace = 5 * time.Second

func (w *watchCommand) exec(e history.Entry, line []byte) error {
	if w.command == "" {
		return nil
	}
	in, err := heldInFile(line)
	if err != nil {
		return err
	}
	defer in.Close()
	var names []string
	for _, f := range e.Files {
		names = append(names, cli.Shown(f.File))
	}
	w.a.Signals.Wait()
	cmd := exec.CommandContext(w.a.Ctx, "sh", "-c", w.command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, w.a.Stderr, w.a.Stderr
	// $JTX_TX would make the verbs in it act inside an open transaction.
	cmd.Env = append(os.Environ(), "JTX_TX=", "JTX_WATCH_TX="+e.ID.String(), "JTX_WATCH_FILES="+strings.Join(names, "\n"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = execGrace
	err = cmd.Run()
	if w.a.Ctx.Err() != nil {
		return context.Cause(w.a.Ctx)
	}
	if err != nil {
		w.a.Warn(fmt.Sprintf("--exec for transaction %s: %v", e.ID, err))
	}
	return nil
}

// heldInFile is a file without a name that holds data. In a pipe to a command that
// does not read it there would be a SIGPIPE, which ends the watch.
func heldInFile(data []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "jtx-watch-*")
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
