package txn_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// treeOf is all that is below a directory, in every respect but when it was read.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		text := ""
		if info.Mode().IsRegular() {
			text = read(t, path)
		}
		tree[path] = fmt.Sprintf("%v %v %v %q", info.Mode(), info.ModTime(), fsys.FileIDOf(info), text)
		return nil
	}))
	return tree
}

// lookers are the ways to look at a.json and b.json. A file that is not there, damaged
// or in doubt is an error of theirs; anything else is not looked for here.
var lookers = map[string]func(*txn.Store) error{
	"view": func(s *txn.Store) error {
		return s.View(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil })
	},
	"history": func(s *txn.Store) error {
		for _, err := range history.Log(context.Background(), s, nil, history.LogOptions{Patches: true}) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"version": func(s *txn.Store) error {
		_, err := history.ReadVersion(context.Background(), s, "a.json", history.Back(1))
		return err
	},
	"blame": func(s *txn.Store) error {
		_, err := history.Blame(context.Background(), s, "a.json", "/n")
		return err
	},
	"show": func(s *txn.Store) error {
		_, err := history.Show(context.Background(), s, wal.NewID())
		return err
	},
	"verify": func(s *txn.Store) error {
		_, err := admin.Verify(context.Background(), s, nil, admin.VerifyOptions{})
		return err
	},
	"status": func(s *txn.Store) error {
		_, err := admin.Status(context.Background(), s, nil)
		return err
	},
	"open transactions": func(s *txn.Store) error {
		_, err := s.OpenTxs(context.Background(), nil)
		return err
	},
	"dry run": func(s *txn.Store) error {
		_, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/dry", 1) }, txn.DryRun())
		return err
	},
	"dry restore": func(s *txn.Store) error {
		_, err := history.Restore(context.Background(), s, []string{"a.json"}, history.AtRev(1), txn.DryRun())
		return err
	},
	"dry compact": func(s *txn.Store) error {
		_, err := admin.Compact(context.Background(), s, nil, admin.Retention{Revs: 1}, txn.DryRun())
		return err
	},
	"dry redact": func(s *txn.Store) error {
		_, err := admin.Redact(context.Background(), s, "a.json", "/n", txn.DryRun())
		return err
	},
	"dry recover": func(s *txn.Store) error {
		_, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{DryRun: true})
		return err
	},
}

// afterwards is what may happen between the crash and the look.
var afterwards = map[string]func(t *testing.T, dir string) (boot byte){
	"nothing": func(*testing.T, string) byte { return 1 },
	"reboot":  func(*testing.T, string) byte { return 2 },
	"edit": func(t *testing.T, dir string) byte {
		write(t, filepath.Join(dir, "a.json"), `{"n":1,"edited":true}`)
		return 1
	},
	"edit, reboot": func(t *testing.T, dir string) byte {
		write(t, filepath.Join(dir, "a.json"), `{"n":1,"edited":true}`)
		return 2
	},
	"removal": func(t *testing.T, dir string) byte {
		require.NoError(t, ignoreNotExist(os.Remove(filepath.Join(dir, "a.json"))))
		return 1
	},
	"damage": func(t *testing.T, dir string) byte {
		write(t, filepath.Join(dir, "a.json"), `{"n":`)
		return 1
	},
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// unfinished are changes that are cut off at each of their calls.
var unfinished = map[string]struct {
	opt txn.Options
	run func(*txn.Store) error
}{
	"unit":     {run: func(s *txn.Store) error { return setBoth(s, 3) }},
	"in place": {opt: txn.Options{InPlace: true}, run: func(s *txn.Store) error { return setBoth(s, 3) }},
	"removal": {run: func(s *txn.Store) error {
		_, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
			return errors.Join(tx.Remove("a.json"), tx.Set("b.json", "/n", 3))
		})
		return err
	}},
	"write-behind": {opt: txn.Options{WriteBehind: txn.WriteBehind{Delay: time.Hour}}, run: func(s *txn.Store) error {
		return errors.Join(setBoth(s, 3), setBoth(s, 4), s.Close())
	}},
}

func setBoth(s *txn.Store, n int) error {
	_, err := s.Do(context.Background(), []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
		return errors.Join(tx.Set("a.json", "/n", n), tx.Set("b.json", "/n", n))
	})
	return err
}

// TestLookingChangesNothing: whatever a crash and another program have left, looking
// leaves it as it is, to the last inode and time, and never shows a part of a unit.
func TestLookingChangesNothing(t *testing.T) {
	every := 1
	if testing.Short() {
		every = 5
	}
	for name, c := range unfinished {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for call := 0; ; call += every {
				dir, done := cutOffAt(t, c.opt, c.run, call)
				for then, happen := range afterwards {
					copied := filepath.Join(t.TempDir(), "copy")
					require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
					lookAtAll(t, copied, happen(t, copied), fmt.Sprintf("call %d, %s", call, then))
				}
				lookAtAll(t, dir, 1, fmt.Sprintf("call %d", call))
				if done {
					return
				}
			}
		})
	}
}

// cutOffAt runs a change on a disk that is gone from its k-th call on. It tells whether
// that came to its end before.
func cutOffAt(t *testing.T, opt txn.Options, run func(*txn.Store) error, call int) (dir string, done bool) {
	t.Helper()
	dir = t.TempDir()
	opt = txntest.With(opt, txntest.Hooks{Boot: [16]byte{1}})
	s, err := txn.Open(dir, opt)
	require.NoError(t, err)
	for n := 1; n < 3; n++ {
		require.NoError(t, setBoth(s, n))
	}
	require.NoError(t, s.Close())
	failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call, Forever: true})
	opt = txntest.With(opt, txntest.Hooks{FS: failing})
	s, err = txn.Open(dir, opt)
	require.NoError(t, err)
	_ = run(s) // what it says is for others to judge
	_ = s.Close()
	return dir, failing.Failed() == 0
}

func lookAtAll(t *testing.T, dir string, boot byte, what string) {
	t.Helper()
	old := time.Now().Add(-time.Hour) // nobody has to wait for an editor
	for _, name := range []string{"", "a.json", "b.json"} {
		require.NoError(t, ignoreNotExist(os.Chtimes(filepath.Join(dir, name), old, old)))
	}
	before := treeOf(t, dir)
	for how, look := range lookers {
		s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{boot}}))
		require.NoError(t, err)
		err = look(s)
		known := err == nil || slices.ContainsFunc([]error{txn.ErrNotFound, txn.ErrDamaged, txn.ErrInDoubt}, func(k error) bool { return errors.Is(err, k) })
		require.True(t, known, "%s: %s: %v", what, how, err)
		require.NoError(t, s.Close())
		require.Equal(t, before, treeOf(t, dir), "%s: %s", what, how)
	}
	if filepath.Base(dir) != "copy" {
		wholeUnit(t, dir, what)
	}
}

// wholeUnit: a view shows both files as they were, or both as they are to be; and so
// does recovery after it, which takes nothing back.
func wholeUnit(t *testing.T, dir, what string) {
	t.Helper()
	s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{1}}))
	require.NoError(t, err)
	names := []string{"a.json", "b.json"}
	read := func(files ...string) (n []string) {
		require.NoError(t, s.View(context.Background(), files, func(tx *txn.Tx) error {
			for _, name := range files {
				v, err := tx.Get(name, "/n")
				if err != nil && !errors.Is(err, txn.ErrNotFound) {
					return err
				}
				n = append(n, string(v))
			}
			return nil
		}), what)
		return n
	}
	seen := func() [2]string { return [2]string(read(names...)) }
	before := seen()
	for i, name := range names {
		require.Equal(t, before[i:i+1], read(name), "%s: by itself", what)
	}
	_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err, what)
	after := seen()
	for _, n := range [][2]string{before, after} {
		require.True(t, n[0] == n[1] || n == [2]string{"", "3"}, "%s: a view shows %q, and %q after recovery", what, before, after)
	}
	require.GreaterOrEqual(t, after[1], before[1], what)
}
