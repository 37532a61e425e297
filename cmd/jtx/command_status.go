package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newStatus(a *app) *cobra.Command {
	var watch watchFlag
	var all bool
	cmd := &cobra.Command{
		Use:   "status [PATH ...]",
		Short: "tracked files, locks, edits from outside",
		Long: `Counts the tracked files below PATH (default: the current directory) by their
condition, a line each: "count", condition, number; and shows those that need
attention, that are locked, or that PATH names, with -a all of them: "file", name,
revision, bytes of the journal, condition, lock; then, until jtx
recover --seen, what was set aside, decided, or clashed: "unread", name, text; and
the open transactions: "tx", id, files, age, owner. It takes no lock and changes
nothing.

The condition is what the next access finds: clean, pending (a commit is in
progress or was cut off), edited, deleted or damaged (outside jtx), in-doubt, or
untracked (no version recorded yet). Behind it stands "protected" where a pattern
of jtx protect names the file; such files are shown also while they are untracked,
which ends with the next change or jtx recover. The exit code is 6 where something
is damaged.`,
		Example: cli.Example(`jtx status`, `jtx status -a`),
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list the clean files too")
	watch.register(cmd.Flags())
	cmd.RunE = a.Verb(func(_ *cobra.Command, paths []string) error {
		return watch.show(a, func() error { return a.showStatus(paths, all) })
	})
	return cmd
}

func (a *app) showStatus(paths []string, all bool) error {
	s, err := a.Store(txn.Options{})
	if err != nil {
		return err
	}
	st, unset := admin.Status(a.Ctx, s, paths, admin.StatusOptions{Attention: !all, Progress: a.Progress("status")})
	if unset != nil && len(st.Workspaces) == 0 {
		return unset
	}
	misspelt := a.misspelt(s, paths)
	if misspelt != nil && len(st.Files)+st.Clean == 0 {
		return misspelt
	}
	if a.JSON {
		err = a.WriteJSON(newStatusJSON(st))
	} else {
		err = a.printStatus(st, !all && !areFiles(paths))
	}
	return cli.Several(append(statusDamage(st), err, unset, misspelt)...)
}

// misspelt are the errors of paths that name nothing. Where it can't be found out whether
// a path is that of a tracked file that has gone, the verb itself says why.
func (a *app) misspelt(s *txn.Store, paths []string) error {
	return cli.Misspelt(paths, func(path string) bool {
		st, err := admin.Status(a.Ctx, s, []string{path}, admin.StatusOptions{Attention: true})
		return err != nil || len(st.Files)+st.Clean > 0
	})
}

// statusDamage are the errors of what is shown as damaged, or can't be looked at.
func statusDamage(st admin.StatusReport) []error {
	errs := damagedTxs(st.Open)
	for _, f := range st.Files {
		if f.Err != nil {
			errs = append(errs, f.Err)
		}
	}
	return errs
}

// areFiles tells that all paths are those of files.
func areFiles(paths []string) bool {
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(path string) bool {
		info, err := os.Lstat(path)
		return err != nil || info.IsDir()
	})
}

// countsOf counts the files by their conditions.
func countsOf(st admin.StatusReport) *cli.Table {
	t := &cli.Table{Header: []string{"WHAT", "CONDITION", "FILES"}}
	count := map[string]int{}
	if st.Clean > 0 {
		count["clean"] = st.Clean
	}
	for _, f := range st.Files {
		count[forPeople(cmp.Or(f.Condition, "unreadable"))]++
	}
	for _, what := range sortedKeys(count) {
		t.Add("count", what, strconv.Itoa(count[what]))
	}
	return t
}

func (a *app) printStatus(st admin.StatusReport, counted bool) error {
	if len(st.Files)+st.Clean+len(st.Open) == 0 {
		a.Note("no tracked files, no open transactions")
		return nil
	}
	t := &cli.Table{Header: []string{"WHAT", "NAME", "REV", "JOURNAL", "CONDITION", "LOCK"}}
	for _, f := range st.Files {
		condition := conditionOf(f)
		if f.Protected {
			condition += ", protected"
		}
		t.Add("file", cli.QuoteWord(cli.Shown(f.File)), strconv.FormatUint(f.Rev, 10), strconv.FormatInt(f.JournalBytes, 10), condition, a.lockText(f))
	}
	open := &cli.Table{Header: []string{"WHAT", "TX", "FILES", "AGE", "OWNER"}}
	for _, info := range st.Open {
		open.Add("tx", info.ID, filesOf(info), age(info), ownerOf(info))
	}
	if counted {
		return a.Table(countsOf(st), t, a.unread(st), open)
	}
	return a.Table(t, a.unread(st), open)
}

// unread tells what became of files that nobody has read yet.
func (a *app) unread(st admin.StatusReport) *cli.Table {
	t := &cli.Table{Header: []string{"WHAT", "NAME", "SINCE"}}
	any := false
	for _, f := range st.Files {
		for _, n := range f.Unread {
			t.Add("unread", cli.QuoteWord(cli.Shown(f.File)), noticeText(f.File, n))
			any = true
		}
	}
	if any {
		a.Note("unread: jtx recover --seen says that you have")
	}
	return t
}

// forPeople says of a condition what is not plain by its one word.
func forPeople(condition string) string {
	if condition == "deleted" {
		return "deleted outside"
	}
	return condition
}

func conditionOf(f admin.FileStatus) string {
	text := forPeople(cmp.Or(f.Condition, "unreadable"))
	if f.InPlace {
		text += ", written in place"
	}
	return text
}

// lockText is who holds a file, in a few words.
func (a *app) lockText(f admin.FileStatus) string {
	text := f.Lock.State.String()
	if len(f.Lock.Holders) > 0 {
		text = fmt.Sprintf("%s: %s", text, f.Lock.Holders[0])
	}
	if f.Lock.Lease != nil {
		text = "leased by " + f.Lock.Lease.String()
		if cli.IsTerminal(a.Stdout) { // jtx locks tells more
			text = "leased by " + f.Lock.Lease.Tx[:min(len(f.Lock.Lease.Tx), cli.ShownID)]
		}
		if over, why := f.Lock.Lease.Broken(time.Now()); over {
			text = "free: a lease is broken, " + why
		}
	}
	if n := len(f.Lock.Waiters); n > 0 {
		text += fmt.Sprintf(", %d waiting", n)
	}
	return cli.Printable(text)
}

type statusJSON struct {
	Workspaces   []workspaceJSON  `json:"workspaces"`
	Files        []fileStatusJSON `json:"files"`
	Clean        int              `json:"clean"` // files that are not listed
	Transactions []txJSON         `json:"transactions"`
}

type workspaceJSON struct {
	Root string `json:"root"`
	ID   string `json:"id"`
	Tree bool   `json:"tree"`
}

type fileStatusJSON struct {
	*cli.JSONFile
	Workspace    string   `json:"workspace"`
	Rev          uint64   `json:"rev"`
	JournalBytes int64    `json:"journal_bytes"`
	Segments     int      `json:"segments"`
	Condition    string   `json:"condition"`
	InPlace      bool     `json:"in_place"`
	Protected    bool     `json:"protected,omitempty"`
	Lock         lockJSON `json:"lock"`
	Error        string   `json:"error,omitempty"`

	Unread []noticeJSON `json:"unread,omitempty"`
}

func newStatusJSON(st admin.StatusReport) statusJSON {
	j := statusJSON{Workspaces: []workspaceJSON{}, Files: []fileStatusJSON{}, Clean: st.Clean, Transactions: newTxsJSON(st.Open)}
	for _, w := range st.Workspaces {
		j.Workspaces = append(j.Workspaces, workspaceJSON{cli.ReadableName(w.Root), w.ID, w.Tree})
	}
	for _, f := range st.Files {
		fj := fileStatusJSON{
			JSONFile: cli.NewJSONFile(cli.Shown(f.File)), Workspace: cli.ReadableName(f.Workspace), Rev: f.Rev, JournalBytes: f.JournalBytes,
			Segments: f.Segments, Condition: f.Condition, InPlace: f.InPlace, Protected: f.Protected, Lock: newLockJSON(f),
			Unread: newNoticesJSON(f.Unread),
		}
		if f.Err != nil {
			fj.Error = cli.MessageOf(f.Err)
		}
		j.Files = append(j.Files, fj)
	}
	return j
}

// lockJSON is who holds a file and who waits for it.
type lockJSON struct {
	State   string       `json:"state"`
	Holders []holderJSON `json:"holders"`
	Waiters []holderJSON `json:"waiters"`
	Lease   *leaseJSON   `json:"lease,omitempty"`
}

type holderJSON struct {
	PID     int    `json:"pid"`
	Host    string `json:"host,omitempty"`
	Command string `json:"command,omitempty"`
	Started string `json:"started,omitempty"`
	Since   string `json:"since,omitempty"`
	// Suspended says that it is stopped, and holds on until it is let go on.
	Suspended bool `json:"suspended,omitempty"`
}

type leaseJSON struct {
	TX      string `json:"tx"`
	Command string `json:"command,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Granted string `json:"granted"`
	Expires string `json:"expires"`
	Broken  string `json:"broken,omitempty"` // why it binds nobody any more
}

func newLockJSON(f admin.FileStatus) lockJSON {
	j := lockJSON{State: f.Lock.State.String(), Holders: newHoldersJSON(f.Lock.Holders), Waiters: newHoldersJSON(f.Lock.Waiters)}
	if l := f.Lock.Lease; l != nil {
		j.Lease = &leaseJSON{TX: l.Tx, Command: l.Command, Granted: cli.TimeText(l.Granted), Expires: cli.TimeText(l.Expires)}
		if over, why := l.Broken(time.Now()); over {
			j.Lease.Broken = why
		}
		if l.Owner != nil {
			j.Lease.Owner = l.Owner.String()
		}
	}
	return j
}

func newHoldersJSON(list []lockmgr.Holder) []holderJSON {
	all := []holderJSON{}
	for _, h := range list {
		j := holderJSON{PID: h.PID, Host: h.Host, Command: h.Command, Suspended: h.Suspended}
		if !h.Started.IsZero() {
			j.Started = cli.TimeText(h.Started)
		}
		if !h.Since.IsZero() {
			j.Since = cli.TimeText(h.Since)
		}
		all = append(all, j)
	}
	return all
}
