// Package cli is what the commands of jtx have in common: how a verb is found, run and
// helped with, the exit codes, and the forms of results and errors.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
)

// App is one run of the program: its streams, and the flags of every verb.
type App struct {
	Ctx            context.Context
	Signals        *signals
	Stdin          *os.File
	Stdout, Stderr io.Writer

	dir         string
	verbName    string // of the command that runs
	JSON, Quiet bool
	Asks        bool // the verb is a question, whose answer may be no
	told        *told
	sink        io.Writer // of data and notes, in the place of the streams; nil: none
}

// Run is the whole program but for leaving it. It returns the exit code.
func (p *Program) Run(args []string) int {
	a := NewApp(context.Background(), os.Stdout, os.Stderr)
	// An error in the flags themselves must be reported in the form asked for.
	a.JSON = wantsJSON(args)
	err := p.Execute(a, args)
	a.Report(err)
	return ExitOf(err)
}

// NewApp is a run with its streams, which ends when ctx or a signal does.
func NewApp(ctx context.Context, stdout, stderr io.Writer) *App {
	a := &App{Stdin: os.Stdin, Stdout: stdout, Stderr: stderr, told: &told{said: map[string]bool{}}}
	a.Ctx, a.Signals = newSignals(lockmgr.WithWaitNotice(ctx, longWait, a.waiting))
	return a
}

// longWait is how long a wait for a lock is not worth a word.
const longWait = time.Second

// waiting says, to a person, for whom a verb waits.
func (a *App) waiting(e *lockmgr.TimeoutError) {
	if IsTerminal(a.Stderr) {
		a.Note("waiting: %s", MessageOf(e))
	}
}

// isUnknownVerb tells that a word which leads to no command is no flag, nor one of those
// that cobra adds late.
func isUnknownVerb(word string) bool {
	return !strings.HasPrefix(word, "-") && word != cobra.ShellCompRequestCmd && word != cobra.ShellCompNoDescRequestCmd
}

// Execute finds the verb and runs it. Making all verbs with their flags would be
// a good part of a short run's time. So only those are made that a word names: the
// verb that is meant is among them. All are made where there is none, or it tells
// of the others.
func (p *Program) Execute(a *App, args []string) error {
	if p.Before != nil {
		if done, err := p.Before(p, a, args); done {
			return err
		}
	}
	root := p.NewRoot(a, func(name string) bool { return slices.Contains(args, name) })
	if p.Join != nil {
		args = p.Join(root, args)
	}
	marked := MarkNegatives(root, args)
	cmd, _, err := root.Find(marked)
	if err != nil || tellsOfOthers(root, cmd) {
		root = p.NewRoot(a, AllVerbs)
	}
	if words := Unmark(marked); err == nil && !cmd.HasParent() && len(words) > 0 && isUnknownVerb(words[0]) {
		return unknownVerb(root, words[0]) // before its flags are: they are of that verb
	}
	root.SetArgs(marked)
	return root.ExecuteContext(a.Ctx)
}

// Enter goes to the directory of -C. All relative names are relative to it, as
// if jtx had been started there.
func (a *App) Enter() error {
	if a.dir == "" {
		return nil
	}
	err := os.Chdir(a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Usagef("-C %s: no such directory", QuoteWord(a.dir))
	}
	if err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	return os.Setenv("PWD", wd)
}

// Store opens the store in the current directory, for any use.
func (a *App) Store(opt txn.Options) (*txn.Store, error) {
	a.Signals.Wait()
	return a.StoreEarly(opt)
}

// StoreEarly is store for who waits for the signals later, before changing anything,
// or changes nothing.
func (a *App) StoreEarly(opt txn.Options) (*txn.Store, error) { return a.StoreIn(".", opt) }

// StoreIn is StoreEarly for another directory.
func (a *App) StoreIn(dir string, opt txn.Options) (*txn.Store, error) {
	opt.Verb, opt.TrackProtected = a.verbName, true
	if opt.OnMark == nil {
		opt.OnMark = a.mark
	}
	if opt.OnSkipped == nil {
		opt.OnSkipped = a.skip
	}
	if opt.OnRecovery == nil {
		opt.OnRecovery = a.recovered
	}
	return txn.Open(dir, opt)
}

// Verb wraps what a command does: it goes to the directory of -C first, and
// takes the marks off the words.
func (a *App) Verb(do func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.Enter(); err != nil {
			return err
		}
		a.verbName = cmd.Name()
		return a.withSkipped(do(cmd, Unmark(args)))
	}
}

// Write puts data on standard output, unless -q mutes it.
func (a *App) Write(data []byte) error {
	if a.Quiet {
		return nil
	}
	return a.Emit(data)
}

// Emit is write for what -q can't mute: without a transaction's id nobody could end
// it, and help is no data.
func (a *App) Emit(data []byte) error {
	if a.sink != nil {
		_, err := a.sink.Write(data)
		return err
	}
	a.Signals.beforeWrite()
	_, err := a.Stdout.Write(data)
	return OutputError(err)
}

func (a *App) Printf(format string, args ...any) error {
	return a.Write(fmt.Appendf(nil, format, args...))
}

// Note says something on standard error that is no error. It is for people: -q and
// --json mute it.
func (a *App) Note(format string, args ...any) {
	if !a.Quiet && !a.JSON {
		if a.sink != nil {
			_, _ = fmt.Fprintf(a.sink, format+"\n", args...) // it is memory
			return
		}
		a.Message(fmt.Sprintf(format, args...))
	}
}

// Warn says what could not be done though the command succeeds. -q does not mute it.
func (a *App) Warn(text string) {
	if a.JSON {
		a.Message(strings.TrimSuffix(string(EncodeJSON(map[string]string{"warning": text})), "\n"))
		return
	}
	a.Message(Paint(a.Stderr, Bold, "warning:") + " " + Printable(text))
}

// Message writes a line to standard error. There is nowhere to report a failure
// of that.
func (a *App) Message(line string) {
	if !a.JSON && IsTerminal(a.Stderr) {
		line = localTimes(line)
	}
	_, _ = fmt.Fprintln(a.Stderr, line)
}

// Shown is a file's name as the user would give it: relative to the current
// directory where it is below it.
func Shown(name string) string {
	if !filepath.IsAbs(name) {
		return name
	}
	wd, err := os.Getwd()
	if err != nil {
		return name
	}
	for _, dir := range []string{wd, realOf(wd)} {
		if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(rel) {
			return asFile(rel)
		}
	}
	return name
}

// asFile writes a name so that it is taken for a file, and not for a flag.
func asFile(name string) string {
	if strings.HasPrefix(name, "-") {
		return "./" + name
	}
	return name
}

func realOf(dir string) string {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return dir
	}
	return real
}
