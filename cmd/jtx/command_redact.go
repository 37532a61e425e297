package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newRedact(a *app) *cobra.Command {
	var lock lockFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "redact FILE PTR",
		Short: "take a secret out of the history",
		Long: `Takes every value that FILE ever held at PTR, but for the one that it holds now,
out of its whole history: each version and record, messages (of at least 6 bytes, in
all files of the transaction), copies of damaged content and journals that were set
aside, and the log of operations. So change or delete a secret first. It prints what
it removed. Revisions, times and ids stay, and jtx verify holds. Other places that
still hold it, as histories of files that it was copied or moved to or from, are
named; backups and free blocks of the disk may hold it too. The exit code is 1 where there is nothing to take out.`,
		Example:           cli.Example(`jtx set config.json /token '"hunter2"'`, `jtx set config.json /token '"new"'`, `jtx redact config.json /token`),
		Args:              cli.Words(2, 2),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	lock.register(fs)
	fs.BoolVar(&dryRun, "dry-run", false, "say what would be removed, change nothing")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		if err := cli.CheckFile(args[0]); err != nil {
			return err
		}
		ptr, err := a.placeIn(args[0], args[1])
		if err != nil {
			return err
		}
		s, err := a.openStore(&lock)
		if err != nil {
			return err
		}
		var opts []txn.Option
		if dryRun {
			opts = append(opts, txn.DryRun())
		}
		done, err := admin.Redact(a.Ctx, s, args[0], ptr, opts...)
		if err != nil {
			return err
		}
		return a.printRedacted(done)
	})
	return cmd
}

// redactedJSON is what was removed.
type redactedJSON struct {
	Values    int             `json:"values"`
	Revisions int             `json:"revisions"`
	Messages  int             `json:"messages"`
	Removed   []*cli.JSONFile `json:"removed"`
	LogLines  int             `json:"log_lines"`
	Elsewhere []uint64        `json:"elsewhere"`
	AlsoIn    []*cli.JSONFile `json:"also_in"`
	Places    []*cli.JSONFile `json:"places"`
	Unreached []*cli.JSONFile `json:"unreached"`
}

func (a *app) printRedacted(d admin.Redacted) error {
	if a.JSON {
		return a.WriteJSON(redactedJSON{
			Values: d.Values, Revisions: d.Revisions, Messages: d.Messages, Removed: jsonFiles(d.Removed), LogLines: d.LogLines,
			Elsewhere: append([]uint64{}, d.Elsewhere...), AlsoIn: jsonFiles(d.AlsoIn), Places: jsonFiles(d.Places), Unreached: jsonFiles(d.Unreached),
		})
	}
	text := fmt.Sprintf("%s in %s, %s\n", cli.Plural(d.Values, "value"), cli.Plural(d.Revisions, "revision"), cli.Plural(d.Messages, "message"))
	if d.LogLines > 0 {
		text = fmt.Sprintf("%s, %s of the log\n", text[:len(text)-1], cli.Plural(d.LogLines, "line"))
	}
	for _, name := range d.Removed {
		text += "removed " + cli.QuoteWord(cli.Shown(name)) + "\n"
	}
	if n := len(d.Elsewhere); n > 0 {
		a.Warn(fmt.Sprintf("one of the values still stands at another place of %s, the oldest %d, the newest %d", cli.Plural(n, "revision"), d.Elsewhere[0], d.Elsewhere[n-1]))
	}
	for _, name := range d.AlsoIn {
		a.Warn(fmt.Sprintf("the history of %s holds one of the values too: redact it there as well", cli.QuoteWord(cli.Shown(name))))
	}
	for _, name := range d.Places {
		a.Warn(fmt.Sprintf("%s holds one of the values too: remove it, or end what it is of", cli.QuoteWord(cli.Shown(name))))
	}
	for _, name := range d.Unreached {
		a.Warn(fmt.Sprintf("%s can't be looked at, and may hold one of the values, there or in its history", cli.QuoteWord(cli.Shown(name))))
	}
	return a.Write([]byte(text))
}

func jsonFiles(names []string) []*cli.JSONFile {
	list := []*cli.JSONFile{}
	for _, name := range names {
		list = append(list, cli.NewJSONFile(cli.Shown(name)))
	}
	return list
}
