package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
)

func newRedact(a *app) *cobra.Command {
	var lock lockFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "redact FILE PTR",
		Short: "take a secret out of the history",
		Long: `Takes every value that FILE ever held at PTR, but for the one that it holds now,
out of its whole history: each version and record, messages, and copies of damaged
content that were set aside. So change or delete a secret first. It prints what it
removed. Revisions, times and ids stay, and jtx verify holds. Backups, and free
blocks of the disk, may still hold the value. The exit code is 1 where there is
nothing to take out.`,
		Example:           example(`jtx set config.json /token '"hunter2"'`, `jtx set config.json /token '"new"'`, `jtx redact config.json /token`),
		Args:              words(2, 2),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	lock.register(fs)
	fs.BoolVar(&dryRun, "dry-run", false, "say what would be removed, change nothing")
	cmd.RunE = a.verb(func(_ *cobra.Command, args []string) error {
		if err := checkFile(args[0]); err != nil {
			return err
		}
		ptr, err := parsePlace(args[1])
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
		done, err := s.Redact(a.ctx, args[0], ptr, opts...)
		if err != nil {
			return err
		}
		return a.printRedacted(done)
	})
	return cmd
}

// redactedJSON is what was removed.
type redactedJSON struct {
	Values    int         `json:"values"`
	Revisions int         `json:"revisions"`
	Messages  int         `json:"messages"`
	Removed   []*jsonFile `json:"removed"`
	Elsewhere []uint64    `json:"elsewhere"`
}

func (a *app) printRedacted(d txn.Redacted) error {
	if a.json {
		j := redactedJSON{Values: d.Values, Revisions: d.Revisions, Messages: d.Messages, Removed: []*jsonFile{}, Elsewhere: d.Elsewhere}
		for _, name := range d.Removed {
			j.Removed = append(j.Removed, newJSONFile(shown(name)))
		}
		return a.writeJSON(j)
	}
	text := fmt.Sprintf("%s in %s, %s\n", plural(d.Values, "value"), plural(d.Revisions, "revision"), plural(d.Messages, "message"))
	for _, name := range d.Removed {
		text += "removed " + quoteWord(shown(name)) + "\n"
	}
	for _, rev := range d.Elsewhere {
		a.warn(fmt.Sprintf("one of the values still stands at another place of revision %d", rev))
	}
	if a.quiet {
		return nil
	}
	return a.write([]byte(text))
}
