package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

func newCompact(a *app) *cobra.Command {
	c := &compactCommand{a: a}
	cmd := &cobra.Command{
		Use:   "compact [FILE ...]",
		Short: "make the history smaller",
		Long: `Drops what retention does not keep from the journals of FILEs, or of every
tracked file in or below the current directory: a version is kept that is younger
than --keep-age, or among the last --keep-revs; --keep-bytes bounds what is kept of
each journal. The current version always is. Without these flags all is kept.
Commits do this by themselves when a journal passes 64 MB: then 90 days and at least
100 revisions are kept.

What was asked for is kept to the revision; one more where the file was not there at
the oldest, and what another file's unfinished transaction may still ask for. Beyond
--keep-bytes there is at most one copy of the file. A line for each file: its name,
bytes before and after, the oldest revision that is kept, how many were dropped, and
how many are kept. It needs little room: only the first and the last part of what is
kept are written anew.`,
		Example:           cli.Example(`jtx set config.json /server/port 81`, `jtx compact --keep-age 90d --keep-revs 100`),
		ValidArgsFunction: completeFiles,
	}
	fs := cmd.Flags()
	c.lock.register(fs)
	fs.StringVar(&c.age, "keep-age", "", "keep what is younger, as in `90d`")
	fs.Uint64Var(&c.keep.Revs, "keep-revs", 0, "keep the newest `N` revisions, at least 1")
	fs.StringVar(&c.bytes, "keep-bytes", "", "keep at most so much of a journal, as in `10MB`")
	fs.BoolVar(&c.dryRun, "dry-run", false, "say what would be dropped, change nothing")
	cmd.RunE = a.Verb(func(_ *cobra.Command, args []string) error {
		if fs.Changed("keep-revs") && c.keep.Revs == 0 {
			return cli.Usagef("--keep-revs 0: the newest revision is always kept: want 1 or more")
		}
		return c.run(args)
	})
	return cmd
}

type compactCommand struct {
	a          *app
	lock       lockFlags
	age, bytes string
	keep       admin.Retention
	dryRun     bool
}

func (c *compactCommand) run(files []string) error {
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	var err error
	if c.age != "" {
		if c.keep.Age, err = parseAge(c.age); err != nil {
			return err
		}
	}
	if c.bytes != "" {
		if c.keep.Bytes, err = parseBytes(c.bytes); err != nil {
			return err
		}
	}
	s, err := c.a.openStore(&c.lock)
	if err != nil {
		return err
	}
	var opts []txn.Option
	if c.dryRun {
		opts = append(opts, txn.DryRun())
	}
	done, err := admin.Compact(c.a.Ctx, s, files, c.keep, opts...)
	if err != nil && len(done) == 0 {
		return err
	}
	return cli.Several(c.print(done), err)
}

// compactedJSON is what was done to one journal.
type compactedJSON struct {
	*cli.JSONFile
	Before  int64  `json:"bytes_before"`
	After   int64  `json:"bytes_after"`
	Oldest  uint64 `json:"oldest_rev"`
	Dropped uint64 `json:"dropped_revs"`
	Kept    uint64 `json:"kept_revs"`
}

func (c *compactCommand) print(done []admin.Compaction) error {
	if c.a.JSON {
		list := []compactedJSON{}
		for _, d := range done {
			list = append(list, compactedJSON{cli.NewJSONFile(cli.Shown(d.File)), d.Before, d.After, d.Oldest, d.Dropped, d.Kept})
		}
		return c.a.WriteJSON(map[string][]compactedJSON{"files": list})
	}
	t := &cli.Table{Header: []string{"FILE", "BEFORE", "AFTER", "OLDEST", "DROPPED", "KEPT"}}
	for _, d := range done {
		t.Add(cli.QuoteWord(cli.Shown(d.File)), fmt.Sprint(d.Before), fmt.Sprint(d.After), fmt.Sprint(d.Oldest), fmt.Sprint(d.Dropped), fmt.Sprint(d.Kept))
	}
	if len(done) == 0 {
		c.a.Note("no tracked files")
		return nil
	}
	c.explain(done)
	return c.a.Table(t)
}

// explain says why nothing was dropped.
func (c *compactCommand) explain(done []admin.Compaction) {
	for _, d := range done {
		if d.Dropped > 0 {
			return
		}
	}
	if c.keep == (admin.Retention{}) {
		c.a.Note("nothing is dropped: without --keep-age, --keep-revs or --keep-bytes all is kept, and only compressed")
	} else {
		c.a.Note("nothing is dropped: all that there is is to be kept")
	}
}

// parseAge reads a duration, in days and weeks too.
func parseAge(text string) (time.Duration, error) {
	now := time.Now()
	p, err := history.ParsePoint(text+" ago", now)
	if err != nil {
		return 0, cli.Usagef("--keep-age %s: want a time such as 90d or 12h", cli.QuoteWord(text))
	}
	return now.Sub(p.Time()), nil
}

// parseBytes reads a size: a number, with kB, MB, GB or KiB, MiB, GiB.
func parseBytes(text string) (int64, error) {
	for _, u := range []struct {
		suffix string
		size   int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}} {
		digits, found := strings.CutSuffix(text, u.suffix)
		n, err := strconv.ParseInt(digits, 10, 64)
		if found && err == nil && 0 < n && n < math.MaxInt64/u.size {
			return n * u.size, nil
		}
	}
	return 0, cli.Usagef("--keep-bytes %s: want a size such as 500kB or 10MB", cli.QuoteWord(text))
}
