package txn_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
)

// The way back and the way forward find the same.
func TestBlameAgreesWithItself(t *testing.T) {
	w := newWorld(t, 2)
	for range 120 {
		w.step()
		if w.rnd.IntN(15) == 0 {
			w.foreign()
		}
	}
	for _, name := range w.files {
		if w.read(name) == absentText {
			continue
		}
		for b, err := range history.BlameAll(context.Background(), w.s, name) {
			require.NoError(t, err)
			one, err := history.Blame(context.Background(), w.s, name, b.Pointer)
			require.NoError(t, err)
			require.Equal(t, b, one, "%s %s", name, b.Pointer)
		}
	}
}

func TestRestoreAll(t *testing.T) {
	w := newWorld(t, 4)
	for range 30 {
		w.step()
	}
	m := w.states[len(w.states)/2]
	for range 20 {
		w.step()
		w.foreign()
	}
	write(t, filepath.Join(w.dir, "later.json"), "{}")
	set(t, w.s, "later.json", "/a", 1) // first seen: where it was before is not known
	set(t, w.s, "made.json", "/a", 1)
	write(t, w.path(w.files[0]), "garbage")
	_, err := history.RestoreAll(context.Background(), w.s, history.AtTx(m.id))
	require.NoError(t, err)
	for name, rev := range m.revs {
		want := absentText
		if rev > 0 {
			want = w.copies[name][rev]
		}
		require.Equal(t, want, w.read(name), name)
	}
	require.FileExists(t, filepath.Join(w.dir, "later.json"))
	require.NoFileExists(t, filepath.Join(w.dir, "made.json"))
	verify(t, w.s)
	_, err = history.RestoreAll(context.Background(), w.s, history.AtTime(time.Now()))
	require.NoError(t, err)
	_, err = history.RestoreAll(context.Background(), w.s, history.AtRev(1))
	require.ErrorIs(t, err, txn.ErrInvalid)
}

func TestBackupAtEveryMomentAndBack(t *testing.T) {
	w := newWorld(t, 4)
	for range 60 {
		w.step()
		w.foreign()
	}
	out := t.TempDir()
	for i, m := range w.states {
		if i%10 != 0 {
			continue
		}
		dest := filepath.Join(out, fmt.Sprintf("%d.tar.zst", i))
		_, err := admin.Backup(context.Background(), w.s, dest, admin.BackupOptions{At: history.AtTx(m.id)})
		require.NoError(t, err)
		there := map[string]string{}
		_, err = backup.Read(dest, func(backup.File) bool { return true }, func(f backup.File, text []byte) error { there[string(f.Path)] = string(text); return nil })
		require.NoError(t, err)
		for name, rev := range m.revs {
			want, ok := w.copies[name][rev]
			if !ok || want == absentText {
				require.NotContains(t, there, name)
				continue
			}
			require.Equal(t, want, there[name])
		}
	}
	// It needs the journals only, and comes back into an empty directory too.
	for _, name := range w.files {
		os.Remove(w.path(name))
	}
	end := w.states[len(w.states)-1]
	for _, name := range w.files {
		if text, ok := w.copies[name][end.revs[name]]; ok && text != absentText {
			write(t, w.path(name), "garbage") // one that the backup has
			break
		}
	}
	last := filepath.Join(out, "last")
	_, err := admin.Backup(context.Background(), w.s, last, admin.BackupOptions{At: history.AtTx(w.ids[len(w.ids)-1])})
	require.NoError(t, err)
	for _, s := range []*txn.Store{w.s, func() *txn.Store { s, _ := openStore(t); return s }()} {
		res, err := admin.RestoreBackup(context.Background(), s, last, nil)
		require.NoError(t, err)
		for _, f := range res.Files {
			name := filepath.Base(f.File)
			require.Equal(t, w.copies[name][end.revs[name]], read(t, f.File))
		}
		verify(t, s)
	}
}
