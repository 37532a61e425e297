package main

import (
	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/cmd/internal/plus"
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
	plus.Group(),
}

// verbs are the commands, in the order in which help shows them.
var verbs = []verb{
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
	{groupFiles, "fmt", newFmt},
	{groupFiles, "rm", newRm},
	{groupFiles, "mv", newMv},
	{groupFiles, "cp", newCp},
	{groupTx, "abort", newAbort},
	{groupTx, "tx", newTx},
	{groupTx, "run", newRun},
	{groupTx, "do", newDo},
	{groupTx, "session", newSession},
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
	{groupSetUp, "forget", newForget},
	{groupSetUp, "config", newConfig},
	{groupSetUp, "protect", newProtect},
	{groupSetUp, "shellenv", newShellenv},
	{groupSetUp, "stats", newStats},
	{groupSetUp, "selftest", newSelftest},
	{groupSetUp, "bench", newBench},
	{"", "safe-jq", newSafeJQ},
}

type verb struct {
	group, name string
	make        func(*app) *cobra.Command
}

var program = cli.Program{
	Name:   cli.Run,
	Short:  "Change JSON files in transactions",
	Intro:  "jtx changes JSON files in transactions: whole, durable, several at once, undone by no crash.",
	Groups: groups,
	Verbs:  made(verbs),
	Others: plusVerbs(),
	SetUp:  groupSetUp,
	Before: runOther,
	Join:   joinPairs,
	Bare:   func(a *cli.App, root *cobra.Command) error { return (&app{a}).printWhere(root) },
}

func made(verbs []verb) []cli.Verb {
	all := make([]cli.Verb, 0, len(verbs))
	for _, v := range verbs {
		all = append(all, cli.Verb{Group: v.group, Name: v.name, Make: func(a *cli.App) *cobra.Command {
			cmd := v.make(&app{a})
			completeTransactions(cmd)
			return cmd
		}})
	}
	return all
}

// plusVerbs are shown by help, and completed. What they do is not known here.
func plusVerbs() (all []cli.Verb) {
	for _, v := range plus.Verbs {
		all = append(all, cli.Verb{Group: plus.Name, Name: v.Name, Make: func(*cli.App) *cobra.Command {
			cmd := v.Command()
			cmd.DisableFlagParsing = true
			cmd.RunE = func(*cobra.Command, []string) error { return notInstalled(v.Name) }
			return cmd
		}})
	}
	return all
}
