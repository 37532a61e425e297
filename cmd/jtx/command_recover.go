package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/wal"
)

func newRecover(a *app) *cobra.Command {
	r := &recoverCommand{a: a}
	cmd := &cobra.Command{
		Use:   "recover [PATH ...] | --decide committed|discarded TX | --seen [PATH ...]",
		Short: "settle what a crash left unfinished",
		Long: `Resolves every incomplete transaction below PATH (default: the current
directory), removes leftovers that are provably its own, and reports each on a
line. Open transactions older than --ttl are discarded, the others listed. The
history of protected files that have none begins.

Nothing has to be recovered by hand: whoever next uses a file through jtx does
the same for it. A journal that rotted can't be recovered: with --set-aside each
PATH is a file whose damaged journal is moved below .jtx/files/FILE/damaged, where
it stays, and a new one begins with what the file holds, as revision 1.

A transaction is in doubt where one of its files can't be looked at, so that it is
not known whether that has it too. Where the file is gone for good, a person
decides: --decide committed keeps what the others have, --decide discarded takes it
back. The decision is recorded in the journal of each file that is there.

What was set aside, decided, or clashed with a commit is told by jtx status and
jtx verify until somebody says with --seen to have read it: that lists it once
more, and keeps what was set aside.

The exit code is 6 where a file is damaged, 8 where a
transaction stays in doubt.`,
		Example: cli.Example(`jtx recover --dry-run`, `jtx recover`),
	}
	fs := cmd.Flags()
	r.lock.register(fs)
	fs.BoolVar(&r.setAside, "set-aside", false, "each PATH is a file with a damaged journal: keep that aside, begin a new one")
	fs.StringVar(&r.decide, "decide", "", "decide a transaction TX that is in doubt: committed or discarded")
	fs.BoolVar(&r.seen, "seen", false, "what was set aside, decided, or clashed has been read: status and verify tell of it no more")
	fs.BoolVar(&r.dryRun, "dry-run", false, "show what would be done, change nothing")
	fs.DurationVar(&r.ttl, "ttl", txn.DefaultTxTTL, "discard open transactions older than this")
	cmd.RunE = a.Verb(r.run)
	return cmd
}

type recoverCommand struct {
	a      *app
	lock   lockFlags
	dryRun bool

	setAside bool
	decide   string
	seen     bool

	ttl time.Duration
}

func (r *recoverCommand) run(_ *cobra.Command, paths []string) error {
	opt, err := r.lock.options()
	if err != nil {
		return err
	}
	if r.ttl <= 0 {
		return cli.Usagef("--ttl %s: want a time above zero", r.ttl)
	}
	if !r.a.Quiet {
		opt.OnRecovery = func([]recovery.Done) {} // the report has it
	}
	s, err := r.a.Store(opt)
	if err != nil {
		return err
	}
	if r.seen && r.decide == "" {
		return r.runSeen(s, paths)
	}
	if r.decide != "" {
		return r.runDecide(s, paths)
	}
	if r.setAside {
		return r.runSetAside(s, paths)
	}
	report, err := admin.Recover(r.a.Ctx, s, paths, admin.RecoverOptions{DryRun: r.dryRun, TTL: r.ttl, Progress: r.a.Progress("recover")})
	if err != nil && report.Total == 0 {
		return err
	}
	misspelt := r.a.misspelt(s, paths)
	if misspelt != nil && report.Total == 0 {
		return misspelt
	}
	errs := []error{err, misspelt} // of an open transaction, or settings
	if err := r.print(report); err != nil {
		return err
	}
	for _, f := range report.Files {
		errs = append(errs, errorOf(f))
	}
	return cli.Several(errs...)
}

// runDecide records what a person decides of a transaction in doubt.
func (r *recoverCommand) runDecide(s *txn.Store, args []string) error {
	switch {
	case r.decide != "committed" && r.decide != "discarded":
		return cli.Usagef("--decide %s: want committed or discarded", cli.QuoteWord(r.decide))
	case len(args) != 1:
		return cli.Usagef("--decide needs one TX").WithHint("jtx recover names the transactions that are in doubt")
	case r.dryRun, r.setAside, r.seen:
		return cli.Usagef("--decide goes with none of --dry-run, --set-aside and --seen")
	}
	id, err := wal.ParseID(args[0])
	if err != nil {
		return cli.Usagef("%s: want a transaction's id", cli.QuoteWord(args[0]))
	}
	files, err := admin.Decide(r.a.Ctx, s, id, r.decide == "committed")
	if err != nil {
		return err
	}
	if err := r.print(admin.RecoverReport{Total: len(files), Files: files}); err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		errs = append(errs, errorOf(f))
	}
	return cli.Several(errs...)
}

type setAsideJSON struct {
	*cli.JSONFile
	Kept *cli.JSONFile `json:"kept"`
}

// runSetAside gives files whose journals are damaged new ones.
func (r *recoverCommand) runSetAside(s *txn.Store, files []string) error {
	switch {
	case len(files) == 0:
		return cli.Usagef("--set-aside needs FILE")
	case r.dryRun:
		return cli.Usagef("--set-aside and --dry-run exclude each other").WithHint("jtx verify shows which journals are damaged")
	}
	if err := cli.CheckFiles(files); err != nil {
		return err
	}
	for _, f := range files {
		kept, err := admin.SetAside(r.a.Ctx, s, f)
		if err != nil {
			return err
		}
		if r.a.JSON {
			err = r.a.WriteJSON(setAsideJSON{cli.NewJSONFile(f), cli.NewJSONFile(cli.Shown(kept))})
		} else {
			err = r.a.Printf("%s: begins a new journal; the damaged one is kept in %s\n", cli.QuoteWord(f), cli.QuoteWord(cli.Shown(kept)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errorOf is what could not be settled in a file.
func errorOf(f admin.FileReport) error {
	if f.Err != nil {
		return f.Err
	}
	for _, d := range f.Done {
		if d.Err != nil {
			return &cli.About{What: cli.QuoteWord(cli.Shown(d.Target)), Err: d.Err}
		}
	}
	return nil
}

func (r *recoverCommand) print(report admin.RecoverReport) error {
	if r.a.JSON {
		return r.a.WriteJSON(r.json(report))
	}
	var b strings.Builder
	for _, f := range report.Files {
		b.WriteString(linesOf(f))
	}
	for _, name := range report.Begun {
		fmt.Fprintf(&b, "%s: protected: its history begins\n", cli.QuoteWord(cli.Shown(name)))
	}
	for _, name := range report.Deleted {
		fmt.Fprintf(&b, "%s: protected, deleted outside: jtx protect --heal brings it back\n", cli.QuoteWord(cli.Shown(name)))
	}
	verb := "discarded"
	if r.dryRun {
		verb = "to be discarded"
	}
	for _, t := range report.Expired {
		fmt.Fprintf(&b, "transaction %s, begun %s: %s\n", t.ID, r.a.TimeText(t.Created), verb)
	}
	for _, t := range report.Open {
		if t.Err == nil {
			fmt.Fprintf(&b, "transaction %s, begun %s: open, %s\n", t.ID, r.a.TimeText(t.Created), filesOf(t))
		} else {
			fmt.Fprintf(&b, "transaction %s, begun %s: damaged\n", t.ID, r.a.TimeText(t.Created))
		}
	}
	for _, name := range report.Removed {
		fmt.Fprintf(&b, "%s: left by a crash, %s\n", cli.QuoteWord(cli.Shown(name)), strings.Replace(verb, "discarded", "removed", 1))
	}
	if err := r.a.Write([]byte(b.String())); err != nil {
		return err
	}
	r.a.Note("%s looked at, %d with something to settle", cli.Plural(report.Total, "file"), len(report.Files))
	return nil
}

func linesOf(f admin.FileReport) string {
	var b strings.Builder
	for _, d := range f.Done { // of other files too, where a unit joins them
		if name := cli.QuoteWord(cli.Shown(d.Target)); d.Unit.IsZero() {
			fmt.Fprintf(&b, "%s: %s: %s, revision %d", name, cli.CaseText(d), d.Action, d.Rev)
		} else {
			fmt.Fprintf(&b, "%s: unfinished transaction %s: %s", name, d.Unit, cli.CaseText(d))
		}
		if edit := d.EditRev(); edit > 0 {
			fmt.Fprintf(&b, ", the edit is revision %d", edit)
		}
		if d.MovedTo != "" && d.Clash == "" {
			fmt.Fprintf(&b, ", after it was moved to %s", cli.QuoteWord(cli.Shown(d.MovedTo)))
		}
		if d.Clash != "" {
			fmt.Fprintf(&b, ", it clashes: %s", cli.ClashText(d))
		}
		if d.Aside != "" {
			fmt.Fprintf(&b, ", bytes kept in %s", cli.QuoteWord(cli.Shown(d.Aside)))
		}
		if d.Cut.Bytes > 0 && !d.Cut.Blank {
			fmt.Fprintf(&b, ", %d bytes of a torn record cut", d.Cut.Bytes)
		}
		b.WriteByte('\n')
	}
	if f.Err != nil && len(f.Done) == 0 {
		fmt.Fprintf(&b, "%s: not settled: %s\n", cli.QuoteWord(cli.Shown(f.File)), cli.Printable(cli.MessageOf(f.Err)))
	}
	return b.String()
}

type recoverJSON struct {
	DryRun  bool            `json:"dry_run"`
	Total   int             `json:"total"`
	Files   []settledJSON   `json:"files"`
	Begun   []*cli.JSONFile `json:"begun"`
	Deleted []*cli.JSONFile `json:"deleted"`
	Expired []txJSON        `json:"expired"`
	Open    []txJSON        `json:"open"`
	Removed []*cli.JSONFile `json:"removed"`
}

type settledJSON struct {
	*cli.JSONFile
	Done  []cli.DoneJSON `json:"done"`
	Error string         `json:"error,omitempty"`
}

func (r *recoverCommand) json(report admin.RecoverReport) recoverJSON {
	j := recoverJSON{
		DryRun: r.dryRun, Total: report.Total, Files: []settledJSON{}, Begun: []*cli.JSONFile{}, Deleted: jsonFiles(report.Deleted), Removed: []*cli.JSONFile{},
		Expired: newTxsJSON(report.Expired), Open: newTxsJSON(report.Open),
	}
	for _, f := range report.Files {
		s := settledJSON{JSONFile: cli.NewJSONFile(cli.Shown(f.File)), Done: []cli.DoneJSON{}}
		for _, d := range f.Done {
			s.Done = append(s.Done, cli.NewDoneJSON(d))
		}
		if f.Err != nil {
			s.Error = cli.MessageOf(f.Err)
		}
		j.Files = append(j.Files, s)
	}
	for _, name := range report.Begun {
		j.Begun = append(j.Begun, cli.NewJSONFile(cli.Shown(name)))
	}
	for _, name := range report.Removed {
		j.Removed = append(j.Removed, cli.NewJSONFile(cli.Shown(name)))
	}
	return j
}
