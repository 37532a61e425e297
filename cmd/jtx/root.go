package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The headings of jtx help.
const (
	groupMost     = "most"
	groupFiles    = "files"
	groupTx       = "tx"
	groupRecovery = "recovery"
	groupHistory  = "history"
	groupSetUp    = "setup"
)

var groups = []*cobra.Group{
	{ID: groupMost, Title: "What most people need"},
	{ID: groupFiles, Title: "More for files"},
	{ID: groupTx, Title: "More for transactions"},
	{ID: groupRecovery, Title: "After a crash, and on any day"},
	{ID: groupHistory, Title: "More for history and backups"},
	{ID: groupSetUp, Title: "Set-up and shell"},
}

// verbs are the commands, in the order in which help shows them.
var verbs = []struct {
	group, name string
	make        func(*app) *cobra.Command
}{
	{groupMost, "get", newGet},
	{groupMost, "set", newSet},
	{groupMost, "del", newDel},
	{groupMost, "put", newPut},
	{groupMost, "patch", newPatch},
	{groupMost, "merge", newMerge},
	{groupMost, "begin", newBegin},
	{groupMost, "apply", newApply},
	{groupMost, "commit", newCommit},
	{groupMost, "log", newLog},
	{groupMost, "undo", newUndo},
	{groupMost, "recover", newRecover},
	{groupFiles, "snapshot", newSnapshot},
	{groupFiles, "update", newUpdate},
	{groupFiles, "pipe", newPipe},
	{groupFiles, "edit", newEdit},
	{groupFiles, "rm", newRm},
	{groupFiles, "mv", newMv},
	{groupFiles, "cp", newCp},
	{groupTx, "abort", newAbort},
	{groupTx, "tx", newTx},
	{groupTx, "run", newRun},
	{groupTx, "do", newDo},
	{groupRecovery, "verify", newVerify},
	{groupRecovery, "status", newStatus},
	{groupRecovery, "locks", newLocks},
	{groupHistory, "show", newShow},
	{groupHistory, "diff", newDiff},
	{groupHistory, "blame", newBlame},
	{groupHistory, "restore", newRestore},
	{groupHistory, "backup", newBackup},
	{groupHistory, "compact", newCompact},
	{groupHistory, "redact", newRedact},
	{groupHistory, "watch", newWatch},
	{groupSetUp, "init", newInit},
	{groupSetUp, "config", newConfig},
	{groupSetUp, "protect", newProtect},
	{groupSetUp, "shellenv", newShellenv},
	{groupSetUp, "rewrite", newRewrite},
	{groupSetUp, "stats", newStats},
	{groupSetUp, "selftest", newSelftest},
	{groupSetUp, "bench", newBench},
	{groupSetUp, "completion", newCompletion},
	{groupSetUp, "man", newMan},
	{groupSetUp, "version", newVersion},
}

// allVerbs wants each of them.
func allVerbs(string) bool { return true }

// newRoot makes the command that holds those verbs that are wanted.
func newRoot(a *app, wanted func(name string) bool) *cobra.Command {
	cobra.EnableCommandSorting = false // the order of verbs is for people
	var version bool
	root := &cobra.Command{
		Use:                        "jtx VERB ARGS",
		Short:                      "Change JSON files in transactions",
		Args:                       cobra.ArbitraryArgs,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return unknownVerb(cmd, unmark(args)[0])
			case version:
				return a.printVersion()
			}
			return a.verb(func(cmd *cobra.Command, _ []string) error { return a.printWhere(cmd) })(cmd, args)
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	pf := root.PersistentFlags()
	pf.StringVarP(&a.dir, "directory", "C", "", "act as if started in `DIR`")
	pf.BoolVar(&a.json, "json", false, "one JSON document on stdout, errors as JSON on stderr")
	pf.BoolVarP(&a.quiet, "quiet", "q", false, "print no data and no notes, only errors")
	root.AddGroup(groups...)
	for _, v := range verbs {
		if !wanted(v.name) {
			continue
		}
		cmd := v.make(a)
		cmd.GroupID = v.group
		cmd.DisableFlagsInUseLine = true
		completeTransactions(cmd)
		root.AddCommand(cmd)
	}
	root.SetFlagErrorFunc(flagError)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	setHelp(a, root)
	return root
}

// tellsOfOthers reports whether a command needs to know the verbs beside it: a word
// that names none suggests some, and the shell's completion asks the root.
func tellsOfOthers(root, cmd *cobra.Command) bool {
	switch cmd.Name() {
	case "help", "man", "completion":
		return true
	}
	return cmd == root
}

func unknownVerb(root *cobra.Command, word string) error {
	e := usagef("unknown verb %s", quoteWord(word))
	if near := root.SuggestionsFor(word); len(near) > 0 {
		return e.withHint("did you mean jtx %s?", strings.Join(near, ", jtx "))
	}
	return e.withHint("jtx help lists the verbs")
}

func flagError(cmd *cobra.Command, err error) error {
	e := &cliError{exit: exitUsage, err: err}
	return e.withHint("usage: %s; a word that begins with - follows --", cmd.UseLine())
}

// words demands between low and high words after the verb; a negative high is any
// number.
func words(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return missing(cmd)
		case high >= 0 && len(args) > high:
			return usagef("too many words: %s", quoteWord(unmark(args)[high])).withHint("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

func missing(cmd *cobra.Command) error {
	return usagef("%s: missing word", cmd.CommandPath()).withHint("usage: %s", cmd.UseLine())
}

// example joins the lines of a command's example. Each is run by a test, in a
// directory that has the files which it names.
func example(lines ...string) string {
	return "  " + strings.Join(lines, "\n  ")
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
