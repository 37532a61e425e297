package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/txn"
)

func newRecover(a *app) *cobra.Command {
	r := &recoverCommand{a: a}
	cmd := &cobra.Command{
		Use:   "recover [PATH ...]",
		Short: "settle what a crash left unfinished",
		Long: `Resolves every incomplete transaction below PATH (default: the current
directory), removes leftovers that are provably its own, and reports each on a
line. Open transactions older than --ttl are discarded, the others listed. The
history of protected files that have none begins.

Nothing has to be recovered by hand: whoever next uses a file through jtx does
the same for it. A journal that rotted can't be recovered: with --set-aside each
PATH is a file whose damaged journal is moved below .jtx/files/FILE/damaged, where
it stays, and a new one begins with what the file holds, as revision 1.

The exit code is 6 where a file is damaged, 8 where a
transaction stays in doubt.`,
		Example: example(`jtx recover --dry-run`, `jtx recover`),
	}
	fs := cmd.Flags()
	r.lock.register(fs)
	fs.BoolVar(&r.setAside, "set-aside", false, "each PATH is a file with a damaged journal: keep that aside, begin a new one")
	fs.BoolVar(&r.dryRun, "dry-run", false, "show what would be done, change nothing")
	fs.DurationVar(&r.ttl, "ttl", txn.DefaultTxTTL, "discard open transactions older than this")
	cmd.RunE = a.verb(r.run)
	return cmd
}

type recoverCommand struct {
	a      *app
	lock   lockFlags
	dryRun bool

	setAside bool

	ttl time.Duration
}

func (r *recoverCommand) run(_ *cobra.Command, paths []string) error {
	opt, err := r.lock.options()
	if err != nil {
		return err
	}
	if r.ttl <= 0 {
		return usagef("--ttl %s: want a time above zero", r.ttl)
	}
	s, err := r.a.store(opt)
	if err != nil {
		return err
	}
	if r.setAside {
		return r.runSetAside(s, paths)
	}
	report, err := s.Recover(r.a.ctx, paths, txn.RecoverOptions{DryRun: r.dryRun, TTL: r.ttl, Progress: r.a.progress("recover")})
	if err != nil && report.Total == 0 {
		return err
	}
	errs := []error{err} // of an open transaction, or settings
	if err := checkPaths(paths, report.Total); err != nil {
		return err
	}
	if err := r.print(report); err != nil {
		return err
	}
	for _, f := range report.Files {
		errs = append(errs, errorOf(f))
	}
	return several(errs...)
}

// runSetAside gives files whose journals are damaged new ones.
func (r *recoverCommand) runSetAside(s *txn.Store, files []string) error {
	switch {
	case len(files) == 0:
		return usagef("--set-aside needs FILE")
	case r.dryRun:
		return usagef("--set-aside and --dry-run exclude each other").withHint("jtx verify shows which journals are damaged")
	}
	if err := checkFiles(files); err != nil {
		return err
	}
	for _, f := range files {
		kept, err := s.SetAside(r.a.ctx, f)
		if err != nil {
			return err
		}
		if r.a.json {
			err = r.a.writeJSON(struct {
				*jsonFile
				Kept *jsonFile `json:"kept"`
			}{newJSONFile(f), newJSONFile(shown(kept))})
		} else {
			err = r.a.printf("%s: begins a new journal; the damaged one is kept in %s\n", quoteWord(f), quoteWord(shown(kept)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errorOf is what could not be settled in a file.
func errorOf(f txn.FileReport) error {
	if f.Err != nil {
		return f.Err
	}
	for _, d := range f.Done {
		if d.Err != nil {
			return &about{quoteWord(shown(f.File)), d.Err}
		}
	}
	return nil
}

func (r *recoverCommand) print(report txn.RecoverReport) error {
	if r.a.json {
		return r.a.writeJSON(r.json(report))
	}
	var b strings.Builder
	for _, f := range report.Files {
		b.WriteString(linesOf(f))
	}
	for _, name := range report.Begun {
		fmt.Fprintf(&b, "%s: protected: its history begins\n", quoteWord(shown(name)))
	}
	verb := "discarded"
	if r.dryRun {
		verb = "to be discarded"
	}
	for _, t := range report.Expired {
		fmt.Fprintf(&b, "transaction %s, begun %s: %s\n", t.ID, timeText(t.Created), verb)
	}
	for _, t := range report.Open {
		if t.Err == nil {
			fmt.Fprintf(&b, "transaction %s, begun %s: open, %s\n", t.ID, timeText(t.Created), filesOf(t))
		} else {
			fmt.Fprintf(&b, "transaction %s, begun %s: damaged\n", t.ID, timeText(t.Created))
		}
	}
	for _, name := range report.Removed {
		fmt.Fprintf(&b, "%s: left by a crash, %s\n", quoteWord(shown(name)), strings.Replace(verb, "discarded", "removed", 1))
	}
	if err := r.a.write([]byte(b.String())); err != nil {
		return err
	}
	r.a.note("%s looked at, %d with something to settle", plural(report.Total, "file"), len(report.Files))
	return nil
}

func linesOf(f txn.FileReport) string {
	var b strings.Builder
	name := quoteWord(shown(f.File))
	for _, d := range f.Done {
		fmt.Fprintf(&b, "%s: %s: %s, revision %d", name, d.Case, d.Action, d.Rev)
		if d.Clash != "" {
			fmt.Fprintf(&b, ", it clashes: %s", printable(d.Clash))
		}
		if d.Aside != "" {
			fmt.Fprintf(&b, ", bytes kept in %s", quoteWord(shown(d.Aside)))
		}
		if d.Cut.Bytes > 0 && !d.Cut.Blank {
			fmt.Fprintf(&b, ", %d bytes of a torn record cut", d.Cut.Bytes)
		}
		b.WriteByte('\n')
	}
	if f.Err != nil && len(f.Done) == 0 {
		fmt.Fprintf(&b, "%s: not settled: %s\n", name, printable(messageOf(f.Err)))
	}
	return b.String()
}

type recoverJSON struct {
	DryRun  bool          `json:"dry_run"`
	Total   int           `json:"total"`
	Files   []settledJSON `json:"files"`
	Begun   []*jsonFile   `json:"begun"`
	Expired []txJSON      `json:"expired"`
	Open    []txJSON      `json:"open"`
	Removed []*jsonFile   `json:"removed"`
}

type settledJSON struct {
	*jsonFile
	Done  []doneJSON `json:"done"`
	Error string     `json:"error,omitempty"`
}

func (r *recoverCommand) json(report txn.RecoverReport) recoverJSON {
	j := recoverJSON{
		DryRun: r.dryRun, Total: report.Total, Files: []settledJSON{}, Begun: []*jsonFile{}, Removed: []*jsonFile{},
		Expired: newTxsJSON(report.Expired), Open: newTxsJSON(report.Open),
	}
	for _, f := range report.Files {
		s := settledJSON{jsonFile: newJSONFile(shown(f.File)), Done: []doneJSON{}}
		for _, d := range f.Done {
			s.Done = append(s.Done, newDoneJSON(d))
		}
		if f.Err != nil {
			s.Error = messageOf(f.Err)
		}
		j.Files = append(j.Files, s)
	}
	for _, name := range report.Begun {
		j.Begun = append(j.Begun, newJSONFile(shown(name)))
	}
	for _, name := range report.Removed {
		j.Removed = append(j.Removed, newJSONFile(shown(name)))
	}
	return j
}
