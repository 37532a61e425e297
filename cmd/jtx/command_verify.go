package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newVerify(a *app) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "verify [PATH ...]",
		Short: "check every journal and file",
		Long: `Replays the journal of every tracked file below PATH (default: the current
directory) from its first image, checks every hash, and the file itself. It
changes nothing. A line for each file: name, revision, records, bytes of the
journal, and ok, edited or deleted (from outside, which the next access records),
unfinished (a commit was cut off: jtx recover), untracked (protected, no version
recorded yet), damaged or unreadable. What was set aside, decided, or clashed is a
warning until jtx recover --seen. The exit code is 6 where one is damaged.`,
		Example: cli.Example(`jtx verify`),
	}
	lock.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, paths []string) error {
		opt, err := lock.options()
		if err != nil {
			return err
		}
		s, err := a.Store(opt)
		if err != nil {
			return err
		}
		results, err := admin.Verify(a.Ctx, s, paths, admin.VerifyOptions{Progress: a.Progress("verify")})
		if err != nil && len(results) == 0 {
			return err
		}
		misspelt := a.misspelt(s, paths)
		if misspelt != nil && len(results) == 0 {
			return misspelt
		}
		errs := []error{err, misspelt} // of settings
		if err := a.printVerified(results); err != nil {
			return err
		}
		for _, r := range results {
			errs = append(errs, r.Err)
			for _, n := range r.Unread {
				a.Warn(cli.QuoteWord(cli.Shown(r.File)) + ": " + noticeText(r.File, n) + "; told until jtx recover --seen")
			}
			if r.Exposed {
				a.Warn(cli.QuoteWord(cli.Shown(r.File)) + ": more people may read its journal than the file, whose mode was narrowed: jtx recover narrows the journal's")
			}
		}
		return cli.Several(errs...)
	})
	return cmd
}

func verdict(r admin.VerifyResult) string {
	switch {
	case errors.Is(r.Err, txn.ErrDamaged):
		return "damaged"
	case r.Err != nil:
		return "unreadable"
	case r.Deleted:
		return "deleted"
	case r.Untracked:
		return "untracked"
	case r.Foreign:
		return "edited"
	case r.Unfinished:
		return "unfinished"
	}
	return "ok"
}

type verifiedJSON struct {
	*cli.JSONFile
	Rev     uint64 `json:"rev"`
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"`

	Unread []noticeJSON `json:"unread,omitempty"`
}

func (a *app) printVerified(results []admin.VerifyResult) error {
	if a.JSON {
		files := []verifiedJSON{}
		for _, r := range results {
			v := verifiedJSON{cli.NewJSONFile(cli.Shown(r.File)), r.Rev, r.Records, r.Bytes, verdict(r), "", newNoticesJSON(r.Unread)}
			if r.Err != nil {
				v.Error = cli.MessageOf(r.Err)
			}
			files = append(files, v)
		}
		return a.WriteJSON(map[string][]verifiedJSON{"files": files})
	}
	t := &cli.Table{Header: []string{"FILE", "REV", "RECORDS", "BYTES", "VERDICT"}}
	for _, r := range results {
		t.Add(cli.QuoteWord(cli.Shown(r.File)), strconv.FormatUint(r.Rev, 10), strconv.Itoa(r.Records), strconv.FormatInt(r.Bytes, 10), forPeople(verdict(r)))
	}
	if len(results) == 0 {
		a.Note("no tracked files")
		return nil
	}
	return a.Table(t)
}
