package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/history"
)

func TestBackupUnderLoad(t *testing.T) {
	s, dir := openStore(t)
	quick, err := txn.Open(dir, txn.Options{Durability: txn.Journal})
	require.NoError(t, err)
	const files, each, writers = 4, 100, 8
	name := func(i int) string { return fmt.Sprintf("f%d.json", i) }
	for i := range files {
		set(t, s, name(i), "/n", each)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	failed := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for k := w; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				failed[w] = errors.Join(failed[w], transfer(quick, name(k%files), name((k+1+w%3)%files)))
			}
		})
	}
	out := t.TempDir()
	for i, ext := range []string{"", ".tar", ".tar.gz", ".tar.zst", "", ".tar.zst"} {
		dest := filepath.Join(out, fmt.Sprintf("b%d%s", i, ext))
		_, err := admin.Backup(context.Background(), s, dest, admin.BackupOptions{})
		require.NoError(t, err)
		_, err = backup.Check(dest)
		require.NoError(t, err)
		sum := 0
		_, err = backup.Read(dest, all, func(_ backup.File, text []byte) error {
			var v struct{ N int }
			require.NoError(t, json.Unmarshal(text, &v))
			sum += v.N
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, files*each, sum, "a transfer is in all its files or in none")
	}
	close(stop)
	wg.Wait()
	require.NoError(t, errors.Join(failed...))
	verify(t, s)
}

func transfer(s *txn.Store, from, to string) error {
	_, err := s.Do(context.Background(), []string{from, to}, func(tx *txn.Tx) error {
		var a, b int
		if from == to {
			return nil
		}
		if err := errors.Join(tx.Decode(from, "/n", &a), tx.Decode(to, "/n", &b)); err != nil {
			return err
		}
		return errors.Join(tx.Set(from, "/n", a-1), tx.Set(to, "/n", b+1))
	})
	return err
}

func TestBackupKeepsModesAndBuildsOnFormerOnes(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	set(t, s, "b.json", "/n", 1)
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.json"), 0o640))
	out := t.TempDir()
	first, second := filepath.Join(out, "first"), filepath.Join(out, "second.tar")
	_, err := admin.Backup(context.Background(), s, first, admin.BackupOptions{})
	require.NoError(t, err)
	for path, want := range map[string]os.FileMode{"": 0o700, "files": 0o700, "files/a.json": 0o640, "jtx-backup.json": 0o600} {
		info, err := os.Stat(filepath.Join(first, path))
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}
	_, err = admin.Backup(context.Background(), s, first, admin.BackupOptions{})
	require.ErrorIs(t, err, txn.ErrInvalid, "nothing is replaced")

	write(t, filepath.Join(dir, "b.json"), `{"n":2}`) // not recorded yet
	m, err := admin.Backup(context.Background(), s, second, admin.BackupOptions{Base: first})
	require.NoError(t, err)
	require.Equal(t, "first", m.Base)
	require.True(t, m.Files[0].InBase)
	require.False(t, m.Files[1].InBase)
	info, err := os.Stat(second)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = backup.Check(second)
	require.NoError(t, err)

	set(t, s, "a.json", "/n", 5)
	res, err := admin.RestoreBackup(context.Background(), s, second, []string{"a.json"})
	require.NoError(t, err)
	require.Len(t, res.Files, 1)
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	_, err = admin.RestoreBackup(context.Background(), s, second, []string{"c.json"})
	require.ErrorIs(t, err, txn.ErrNotFound)

	// What was changed, added or taken away is found, in a former one too.
	write(t, filepath.Join(first, "files", "x.json"), "{}")
	_, err = backup.Check(second)
	require.ErrorIs(t, err, backup.ErrBad)
	require.NoError(t, os.Remove(filepath.Join(first, "files", "x.json")))
	write(t, filepath.Join(first, "files", "a.json"), "{}")
	_, err = backup.Check(second)
	require.ErrorIs(t, err, backup.ErrBad)
	require.NoError(t, os.Remove(filepath.Join(first, "jtx-backup.json")))
	_, err = admin.RestoreBackup(context.Background(), s, first, nil)
	require.ErrorIs(t, err, txn.ErrDamaged)
	data, err := os.ReadFile(second)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(second, data[:len(data)/2], 0o600))
	_, err = backup.Check(second)
	require.ErrorIs(t, err, backup.ErrBad)
}

func all(backup.File) bool { return true }

// A file that was gone when its journal was set aside has a journal, and no version: a
// backup of now is of the others, and one of then says that it does not have it.
func TestBackupWhereAJournalHasNoVersion(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	then := set(t, s, "b.json", "/n", 1).ID
	require.NoError(t, os.Remove(filepath.Join(dir, "a.json")))
	segment := filepath.Join(dir, ".jtx", "files", "a.json", "00000000000000000001")
	text := []byte(read(t, segment))
	text[60] ^= 1
	write(t, segment, string(text))
	_, err := admin.SetAside(ctx, s, "a.json")
	require.NoError(t, err)
	_, err = admin.Recover(ctx, s, nil, admin.RecoverOptions{}) // settles that it isn't there
	require.NoError(t, err)

	now, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "now"), admin.BackupOptions{})
	require.NoError(t, err)
	require.Len(t, now.Files, 1)
	require.Empty(t, now.Unknown)
	was, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "then"), admin.BackupOptions{At: history.AtTx(then)})
	require.NoError(t, err)
	require.Len(t, was.Files, 1)
	require.Equal(t, []backup.Path{"a.json"}, was.Unknown)
}
