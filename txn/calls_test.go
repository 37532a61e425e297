package txn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// TestCallsOfEachTransaction is the gate of what a transaction may cost, in counts, which
// no machine's speed changes: syncs exactly, and calls of the file system at most. The
// bounds leave room for some directories above the test's own, which are looked at too.
func TestCallsOfEachTransaction(t *testing.T) {
	atJournal := txn.Options{Durability: txn.Journal}
	behind := txn.Options{WriteBehind: txn.WriteBehind{Delay: time.Hour}}
	for _, c := range []struct {
		name         string
		opt          txn.Options
		files        int // that are changed; 0: one is read
		syncs, calls int
	}{
		// The journal, the staged file, the directory.
		{"a process reads", txn.Options{}, 0, 0, 35},
		{"a process changes a file", txn.Options{}, 1, 3, 75},
		{"a process changes eight files", txn.Options{}, 8, 17, 600},
		{"a process changes a file at journal", atJournal, 1, 2, 75},
		{"a process changes a file at none", txn.Options{Durability: txn.None}, 1, 0, 75},
		{"a store that is kept changes a file", txn.Options{}, 1, 3, 24},
		{"a store that is kept changes eight files", txn.Options{}, 8, 17, 180},
		// The directory is synced beside the next commit's others.
		{"a store that is kept changes a file at journal", atJournal, 1, 3, 24},
		{"a store that is kept changes a file behind", behind, 1, 1, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newCounted(t, c.opt, max(c.files, 1))
			for range 20 {
				w.change(t)
			}
			if !strings.Contains(c.name, "kept") {
				w.reopen(t)
				syncs, calls := w.counted(func() { w.changeOrRead(t, c.files > 0) })
				require.Equal(t, c.syncs, syncs)
				require.LessOrEqual(t, calls, c.calls)
				return
			}
			// Where the machine is busy a session may be given up between two commits: the
			// next one costs what that of a process does. So one of them must be as cheap.
			for tries := 1000; ; tries-- {
				syncs, calls := w.counted(func() { w.changeOrRead(t, true) })
				if syncs == c.syncs && calls <= c.calls {
					return
				}
				require.Positive(t, tries, "%d syncs, %d calls", syncs, calls)
			}
		})
	}
}

// counted is a store over some files, whose calls are counted.
type counted struct {
	*txn.Store
	dir   string
	opt   txn.Options
	calls *measure.Calls
	names []string
	next  int // value
}

func newCounted(t *testing.T, opt txn.Options, files int) *counted {
	w := &counted{dir: t.TempDir(), calls: &measure.Calls{FS: fsys.OS}}
	for i := range files {
		name := fmt.Sprintf("doc%d.json", i)
		require.NoError(t, os.WriteFile(filepath.Join(w.dir, name), measure.Document(measure.Small, 0), 0o600))
		w.names = append(w.names, name)
	}
	w.opt = txntest.With(opt, txntest.Hooks{FS: w.calls})
	w.reopen(t)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// reopen makes it a store that knows of nothing, as a process that was just started.
func (w *counted) reopen(t *testing.T) {
	if w.Store != nil {
		require.NoError(t, w.Close())
	}
	s, err := txn.Open(w.dir, w.opt)
	require.NoError(t, err)
	w.Store = s
}

func (w *counted) counted(do func()) (syncs, all int) {
	w.calls.Take()
	do()
	for name, n := range w.calls.Take() {
		all += n
		if name == "sync" {
			syncs = n
		}
	}
	return syncs, all
}

func (w *counted) changeOrRead(t *testing.T, change bool) {
	if change {
		w.change(t)
		return
	}
	require.NoError(t, w.View(t.Context(), w.names, func(tx *txn.Tx) error {
		_, err := tx.Get(w.names[0], "/n")
		return err
	}))
}

// change sets another value in each file than it has: what changes nothing is not committed.
func (w *counted) change(t *testing.T) {
	w.next++
	_, err := w.Do(t.Context(), w.names, func(tx *txn.Tx) error {
		for _, name := range w.names {
			if err := tx.Set(name, "/n", w.next); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
}
