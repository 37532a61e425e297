package txn_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// told is what the history of a file tells, newest first: file@rev, and messages.
func told(t *testing.T, s *txn.Store, dir, name string) (revs, messages []string) {
	t.Helper()
	for e, err := range history.Log(context.Background(), s, []string{name}, history.LogOptions{}) {
		require.NoError(t, err)
		for _, f := range e.Files {
			rel, err := filepath.Rel(dir, f.File)
			require.NoError(t, err)
			revs = append(revs, rel)
		}
		for _, f := range e.Files {
			for _, o := range f.Origins {
				e.Message += fmt.Sprintf("%s %s@%d", o.How, o.File, o.Rev)
			}
		}
		messages = append(messages, e.Message)
	}
	return revs, messages
}

// Another program moves a file, or the directory that it is in.
func TestHistoryFollowsAPlainMove(t *testing.T) {
	rename := func(from, to string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)))
		}
	}
	for name, c := range map[string]struct {
		from, to string
		move     func(t *testing.T, dir string)
	}{
		"a file":           {"d/a.json", "d/b.json", rename("d/a.json", "d/b.json")},
		"to another place": {"d/a.json", "b.json", rename("d/a.json", "b.json")},
		"a directory":      {"d/a.json", "e/a.json", rename("d", "e")},
		"over a file system": {"d/a.json", "b.json", func(t *testing.T, dir string) { // as mv copies and removes
			write(t, filepath.Join(dir, "b.json"), read(t, filepath.Join(dir, "d/a.json")))
			require.NoError(t, os.Remove(filepath.Join(dir, "d/a.json")))
		}},
	} {
		for _, first := range []string{"set", "recover, then set", "protect"} {
			t.Run(name+" "+first, func(t *testing.T) {
				ctx := context.Background()
				dir := t.TempDir()
				var marks []txn.Mark
				s, err := txn.Open(dir, txn.Options{Verb: "set", OnMark: func(m txn.Mark) { marks = append(marks, m) }})
				require.NoError(t, err)
				_, _, err = s.Init(ctx, dir)
				require.NoError(t, err)
				require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
				set(t, s, c.from, "/n", 1)
				set(t, s, c.from, "/n", 2)
				set(t, s, "other.json", "/n", 1)
				c.move(t, dir)
				require.NoError(t, s.Flush(ctx)) // locks that are kept for long are marked as held
				before := everything(t, dir)
				revs, _ := told(t, s, dir, c.to)
				require.Equal(t, []string{c.from, c.from}, revs)
				require.Len(t, marks, 1, "that it is not recorded yet")
				require.Equal(t, txn.MarkMoved, marks[0].Kind)
				require.Equal(t, before, everything(t, dir), "a look writes nothing")

				switch first {
				case "recover, then set":
					_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{})
					require.NoError(t, err)
				case "protect":
					_, err = admin.Protect(ctx, s, []string{c.to})
					require.NoError(t, err)
				}
				set(t, s, c.to, "/n", 3)
				revs, messages := told(t, s, dir, c.to)
				require.Equal(t, []string{c.to, c.to, c.from, c.from}, revs)
				require.Equal(t, "moved from "+filepath.Join(dir, c.from)+"@2", messages[1])
				verify(t, s)

				again := filepath.Join(dir, "again.json")
				require.NoError(t, os.Rename(filepath.Join(dir, c.to), again))
				set(t, s, "again.json", "/n", 4)
				revs, _ = told(t, s, dir, "again.json")
				require.Len(t, revs, 6, "and on")
			})
		}
	}
}

// A file that was moved, and then changed in place, is still the same.
func TestHistoryFollowsAFileThatWasChangedToo(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	require.NoError(t, os.Rename(filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")))
	f, err := os.OpenFile(filepath.Join(dir, "b.json"), os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"other":1}`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	set(t, s, "b.json", "/n", 2)
	revs, _ := told(t, s, dir, "b.json")
	require.Equal(t, []string{"b.json", "b.json", "a.json"}, revs)
}

// What only looks like a move is none.
func TestNoMove(t *testing.T) {
	remove := func(t *testing.T, dir string, names ...string) {
		for _, name := range names {
			require.NoError(t, os.Remove(filepath.Join(dir, name)))
		}
	}
	for name, make := range map[string]func(t *testing.T, s *txn.Store, dir string){
		"an inode that is used again": func(t *testing.T, s *txn.Store, dir string) {
			remove(t, dir, "a.json")
			write(t, filepath.Join(dir, "b.json"), `{"new":1}`)
		},
		"a copy": func(t *testing.T, s *txn.Store, dir string) {
			write(t, filepath.Join(dir, "b.json"), read(t, filepath.Join(dir, "a.json")))
		},
		"one of two": func(t *testing.T, s *txn.Store, dir string) {
			write(t, filepath.Join(dir, "b.json"), read(t, filepath.Join(dir, "a.json")))
			remove(t, dir, "a.json", "same.json")
		},
		"removed by jtx": func(t *testing.T, s *txn.Store, dir string) {
			write(t, filepath.Join(dir, "b.json"), read(t, filepath.Join(dir, "a.json")))
			remove(t, dir, "same.json")
			write(t, filepath.Join(dir, "same.json"), `{}`)
			_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			set(t, s, "a.json", "/n", 1)
			set(t, s, "same.json", "/n", 1)
			make(t, s, dir)
			set(t, s, "b.json", "/m", 2)
			revs, messages := told(t, s, dir, "b.json")
			require.Equal(t, []string{"b.json", "b.json"}, revs)
			require.Equal(t, "first seen", messages[1])
		})
	}
}
