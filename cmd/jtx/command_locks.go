package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func newLocks(a *app) *cobra.Command {
	var broken string
	var lock lockFlags
	var watch watchFlag
	cmd := &cobra.Command{
		Use:   "locks [PATH ...]",
		Short: "show who holds and who waits; break a lease",
		Long: `Shows who holds or waits for a tracked file below PATH (default: the current
directory), a line each: name, how (exclusive, shared, lease, waiting), who, since
when. --break TX ends the leases of an open transaction, which can't commit then;
where that is another user's, or its directory is gone, those on files below PATH.
The lock of a running process needs no breaking: it ends with the process.`,
		Example: cli.Example(`jtx locks`, `tx=$(jtx begin --lock a.json)`, `jtx locks --break $tx`),
	}
	lock.register(cmd.Flags())
	watch.register(cmd.Flags())
	cmd.Flags().StringVar(&broken, "break", "", "end the leases of `TX`")
	cmd.RunE = a.Verb(func(cmd *cobra.Command, paths []string) error {
		opt, err := lock.options()
		if err != nil {
			return err
		}
		s, err := a.Store(opt)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("break") {
			return a.breakLease(s, broken, paths)
		}
		return watch.show(a, func() error { return a.showLocks(s, paths) })
	})
	return cmd
}

func (a *app) showLocks(s *txn.Store, paths []string) error {
	st, unset := admin.Status(a.Ctx, s, paths, admin.StatusOptions{Attention: true})
	if unset != nil && len(st.Workspaces) == 0 {
		return unset
	}
	misspelt := a.misspelt(s, paths)
	if misspelt != nil && len(st.Files)+st.Clean == 0 {
		return misspelt
	}
	return errors.Join(a.printLocks(st.Files), unset, misspelt)
}

func (a *app) breakLease(s *txn.Store, word string, paths []string) error {
	id, err := a.openID(s, word)
	if err == nil {
		err = s.BreakLease(a.Ctx, id)
	}
	if errors.Is(err, txn.ErrNotFound) {
		id, err = a.breakLeft(s, word, paths, err)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.WriteJSON(brokenJSON{id, true})
	}
	a.Note("the leases of %s are ended; it can't commit any more", id)
	return nil
}

// breakLeft ends the leases of a transaction that can't be read, as its files name them.
func (a *app) breakLeft(s *txn.Store, word string, paths []string, missing error) (string, error) {
	if len(word) < minPrefix {
		return word, missing
	}
	st, skipped := admin.Status(a.Ctx, s, paths, admin.StatusOptions{Attention: true})
	held := map[string][]string{}
	for _, f := range st.Files {
		if l := f.Lock.Lease; l != nil && strings.HasPrefix(l.Tx, strings.ToUpper(word)) {
			held[l.Tx] = append(held[l.Tx], f.File)
		}
	}
	if len(held) == 0 {
		return word, errors.Join(missing, skipped)
	}
	id, err := theOnly(word, slices.Sorted(maps.Keys(held)))
	if err != nil {
		return word, err
	}
	return id, s.BreakLease(a.Ctx, id, held[id]...)
}

type brokenJSON struct {
	TX     string `json:"tx"`
	Broken bool   `json:"broken"`
}

type lockedJSON struct {
	*cli.JSONFile
	lockJSON
}

func (a *app) printLocks(files []admin.FileStatus) error {
	t := &cli.Table{Header: []string{"FILE", "HOW", "WHO", "SINCE"}}
	list := []lockedJSON{}
	for _, f := range files {
		rows := a.lockRows(f)
		for _, row := range rows {
			t.Add(append([]string{cli.QuoteWord(cli.Shown(f.File))}, row...)...)
		}
		if len(rows) > 0 {
			list = append(list, lockedJSON{cli.NewJSONFile(cli.Shown(f.File)), newLockJSON(f)})
		}
	}
	switch {
	case a.JSON:
		return a.WriteJSON(map[string][]lockedJSON{"files": list})
	case len(list) == 0:
		a.Note("no locks")
		return nil
	}
	return a.Table(t)
}

// lockRows are how, who and since when, for each who has to do with a file.
func (a *app) lockRows(f admin.FileStatus) [][]string {
	var rows [][]string
	for _, h := range f.Lock.Holders {
		rows = append(rows, []string{h.Mode.String(), who(h), a.since(h)})
	}
	if len(f.Lock.Holders) == 0 && f.Lock.State != lockmgr.Free {
		rows = append(rows, []string{f.Lock.State.String(), "a process that can't be seen", "-"})
	}
	if l := f.Lock.Lease; l != nil {
		how, who := "lease", l.String()
		if over, why := l.Broken(time.Now()); over {
			how, who = "broken lease", who+": "+why
		}
		rows = append(rows, []string{how, cli.Printable(who), a.TimeText(l.Granted)})
	}
	for _, h := range f.Lock.Waiters {
		rows = append(rows, []string{"waiting", who(h), a.since(h)})
	}
	return rows
}

func who(h lockmgr.Holder) string {
	text := fmt.Sprintf("pid %d", h.PID)
	if h.Command != "" {
		text += " (" + h.Command + ")"
	}
	if h.Suspended {
		text += ", suspended"
	}
	return cli.Printable(text)
}

func (a *app) since(h lockmgr.Holder) string {
	switch {
	case !h.Since.IsZero():
		return a.TimeText(h.Since)
	case !h.Started.IsZero():
		return a.TimeText(h.Started)
	}
	return "-"
}
