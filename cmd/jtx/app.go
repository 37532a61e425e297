package main

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

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
)

// app is one run of the program: its streams, and the flags of every verb.
type app struct {
	ctx            context.Context
	signals        *signals
	stdin          *os.File
	stdout, stderr io.Writer

	dir         string
	verbName    string // of the command that runs
	json, quiet bool
	asks        bool // the verb is a question, whose answer may be no
}

// run is the whole program but for leaving it. It returns the exit code.
func run(args []string) int {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	a.ctx, a.signals = newSignals(context.Background())
	// An error in the flags themselves must be reported in the form asked for.
	a.json = wantsJSON(args)
	err := a.execute(args)
	a.report(err)
	return exitOf(err)
}

// execute finds the verb and runs it. Making all verbs with their flags would be
// a good part of a short run's time. So only those are made that a word names: the
// verb that is meant is among them. All are made where there is none, or it tells
// of the others.
func (a *app) execute(args []string) error {
	root := newRoot(a, func(name string) bool { return slices.Contains(args, name) })
	marked := markNegatives(root, joinPairs(root, args))
	if cmd, _, err := root.Find(marked); err != nil || tellsOfOthers(root, cmd) {
		root = newRoot(a, allVerbs)
	}
	root.SetArgs(marked)
	return root.ExecuteContext(a.ctx)
}

// enter goes to the directory of -C. All relative names are relative to it, as
// if jtx had been started there.
func (a *app) enter() error {
	if a.dir == "" {
		return nil
	}
	err := os.Chdir(a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("-C %s: no such directory", quoteWord(a.dir))
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

// store opens the store in the current directory, for any use.
func (a *app) store(opt txn.Options) (*txn.Store, error) {
	a.signals.wait()
	return a.storeEarly(opt)
}

// storeEarly is store for who waits for the signals later, before changing anything,
// or changes nothing.
func (a *app) storeEarly(opt txn.Options) (*txn.Store, error) {
	opt.Verb = a.verbName
	return txn.Open(".", opt)
}

// verb wraps what a command does: it goes to the directory of -C first, and
// takes the marks off the words.
func (a *app) verb(do func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.enter(); err != nil {
			return err
		}
		a.verbName = cmd.Name()
		return do(cmd, unmark(args))
	}
}

// write puts data on standard output, unless -q mutes it.
func (a *app) write(data []byte) error {
	if a.quiet {
		return nil
	}
	return a.emit(data)
}

// emit is write for what -q can't mute: without a transaction's id nobody could end
// it, and help is no data.
func (a *app) emit(data []byte) error {
	a.signals.beforeWrite()
	_, err := a.stdout.Write(data)
	return outputError(err)
}

func (a *app) printf(format string, args ...any) error {
	return a.write(fmt.Appendf(nil, format, args...))
}

// note says something on standard error that is no error. It is for people: -q and
// --json mute it.
func (a *app) note(format string, args ...any) {
	if !a.quiet && !a.json {
		a.message(fmt.Sprintf(format, args...))
	}
}

// warn says what could not be done though the command succeeds. -q does not mute it.
func (a *app) warn(text string) {
	if a.json {
		a.message(strings.TrimSuffix(string(encodeJSON(map[string]string{"warning": text})), "\n"))
		return
	}
	a.message(paint(a.stderr, bold, "warning:") + " " + printable(text))
}

// message writes a line to standard error. There is nowhere to report a failure
// of that.
func (a *app) message(line string) { _, _ = fmt.Fprintln(a.stderr, line) }

// shown is a file's name as the user would give it: relative to the current
// directory where it is below it.
func shown(name string) string {
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
