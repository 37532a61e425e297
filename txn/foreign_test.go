package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
)

func TestForeignEditIsAdopted(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	set(t, s, "a.json", "/n", 2) // revisions 1 (first seen) and 2
	write(t, a, `{"n":2,"mine":true}`)
	require.True(t, verify(t, s)[0].Foreign)
	require.Equal(t, "true", get(t, s, "a.json", "/mine"))
	res := set(t, s, "a.json", "/n", 3)
	require.Equal(t, uint64(4), res.Files[0].Rev)
	require.Equal(t, "edited-outside", res.Recovered[0].Case)
	require.Equal(t, `{"n":3,"mine":true}`, read(t, a))
	require.False(t, verify(t, s)[0].Foreign)
}

func TestForeignRevertIsAdopted(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	write(t, a, `{"n":1}`)
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	res := set(t, s, "a.json", "/m", 0)
	require.Equal(t, `{"n":1,"m":0}`, read(t, a))
	require.Equal(t, "reverted-outside", res.Recovered[0].Case)
}

func TestForeignRevertSurvivesAReboot(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{1}}))
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 2)
	write(t, a, `{"n":1}`) // git checkout, say
	s, err = txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{2}}))
	require.NoError(t, err)
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	verify(t, s)
}

func TestForeignDeleteIsAdopted(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, os.Remove(a))
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := tx.Get("a.json", "/n")
		return err
	})
	require.ErrorIs(t, err, txn.ErrNotFound)
	set(t, s, "a.json", "/n", 9)
	require.Equal(t, "{\n  \"n\": 9\n}\n", read(t, a))
	verify(t, s)
}

func TestDamageIsSetAsideAndReported(t *testing.T) {
	for name, bytes := range map[string]string{"half": `{"n":`, "empty": "", "garbage": "\x00\x00\x00\x00", "conflict markers": "<<<<<<< HEAD\n{}\n"} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			a := filepath.Join(dir, "a.json")
			write(t, a, `{"n":1}`)
			set(t, s, "a.json", "/n", 2)
			write(t, a, bytes)
			require.NoError(t, os.Chtimes(a, time.Time{}, time.Now().Add(-time.Minute)))
			_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
			require.ErrorIs(t, err, txn.ErrDamaged)
			var damage *recovery.DamagedError
			require.ErrorAs(t, err, &damage)
			require.Equal(t, uint64(2), damage.Rev)
			require.Equal(t, bytes, read(t, damage.Aside))
			require.Equal(t, bytes, read(t, a), "left as it is")
			err = s.View(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil })
			require.ErrorIs(t, err, txn.ErrDamaged)
			write(t, a, `{"n":2,"mended":true}`) // by hand: an edit like any other
			require.Equal(t, "true", get(t, s, "a.json", "/mended"))
			set(t, s, "a.json", "/n", 4)
			verify(t, s)
		})
	}
}

func TestUntrackedInvalidFileIsLeftAlone(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1,}x`)
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.Contains(t, err.Error(), "a.json")
	require.Equal(t, `{"n":1,}x`, read(t, filepath.Join(dir, "a.json")))
}

func TestOddNames(t *testing.T) {
	for _, name := range []string{
		"with space.json", "new\nline.json", "100%.json", "a@3.json", "caf\xe9.json", ".hidden", "-dash", "%2F",
		strings.Repeat("x", 255), strings.Repeat("\n", 255), "ünïcode.json", `back\slash`,
	} {
		t.Run(name[:min(len(name), 12)], func(t *testing.T) {
			s, dir := openStore(t)
			write(t, filepath.Join(dir, name), `{"n":1}`)
			set(t, s, name, "/n", 2)
			require.Equal(t, `{"n":2}`, read(t, filepath.Join(dir, name)))
			require.Equal(t, "2", get(t, s, name, "/n"))
			res := verify(t, s)
			require.Equal(t, filepath.Join(dir, name), res[0].File)
			st, err := admin.Status(context.Background(), s, nil)
			require.NoError(t, err)
			require.Equal(t, "clean", st.Files[0].Condition)
		})
	}
}

func TestSymlinkStaysALink(t *testing.T) {
	s, dir := openStore(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	real := filepath.Join(dir, "sub", "real.json")
	write(t, real, `{"n":1}`)
	require.NoError(t, os.Symlink("sub/real.json", filepath.Join(dir, "link.json")))
	set(t, s, "link.json", "/n", 2)
	require.Equal(t, `{"n":2}`, read(t, real))
	link, err := os.Readlink(filepath.Join(dir, "link.json"))
	require.NoError(t, err)
	require.Equal(t, "sub/real.json", link)
	_, err = s.Do(context.Background(), []string{"link.json", "sub/real.json"}, func(tx *txn.Tx) error {
		if err := tx.Set("link.json", "/n", 3); err != nil {
			return err
		}
		v, err := tx.Get("sub/real.json", "/n")
		require.Equal(t, "3", string(v), "two names of one file are one file")
		return err
	})
	require.NoError(t, err)
}

func TestNotARegularFile(t *testing.T) {
	s, dir := openStore(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	for _, name := range []string{"dir", "fifo"} {
		err := s.View(context.Background(), []string{name}, func(*txn.Tx) error { return nil })
		require.ErrorIs(t, err, txn.ErrInvalid, name)
		_, err = s.Do(context.Background(), []string{name}, func(*txn.Tx) error { return nil })
		require.ErrorIs(t, err, txn.ErrInvalid, name)
	}
}

func TestHardLinksAreRefusedUnlessInPlace(t *testing.T) {
	s, dir := openStore(t)
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	write(t, a, `{"n":1}`)
	require.NoError(t, os.Link(a, b))
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 2) })
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.Contains(t, err.Error(), "hard links")
	require.Equal(t, `{"n":1}`, read(t, a))
	_, err = s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.ErrorContains(t, err, "removes this name all the same")
	set(t, s, "a.json", "/n", 22, txn.WithInPlace())
	require.Equal(t, `{"n":22}`, read(t, b))
	set(t, s, "a.json", "/n", 3, txn.WithInPlace())
	require.Equal(t, `{"n":3}`, read(t, b))
	st, err := admin.Status(context.Background(), s, nil)
	require.NoError(t, err)
	require.True(t, st.Files[0].InPlace)
	verify(t, s)
}

func TestVerifyTellsADeletionFromAnEdit(t *testing.T) {
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	set(t, s, "a.json", "/n", 1)
	require.NoError(t, os.Remove(path))
	res := verify(t, s)
	require.True(t, res[0].Foreign && res[0].Deleted)
	st, err := admin.Status(context.Background(), s, nil)
	require.NoError(t, err)
	require.Equal(t, "deleted", st.Files[0].Condition)
	write(t, path, `{"n":2}`)
	res = verify(t, s)
	require.True(t, res[0].Foreign && !res[0].Deleted)
}

// Another program saves one file of a unit between its reading and the commit, be it the
// first or a later one: the transaction runs again on what it saved, and no file has been
// replaced by then.
func TestASaveBeforeTheCommitRunsTheUnitAgain(t *testing.T) {
	for _, edited := range []string{"a.json", "b.json", "c.json"} {
		t.Run(edited, func(t *testing.T) {
			s, dir := openStore(t)
			files := []string{"a.json", "b.json", "c.json"}
			for _, name := range files {
				write(t, filepath.Join(dir, name), `{"n":1}`)
			}
			var runs []string
			res, err := s.Do(context.Background(), files, func(tx *txn.Tx) error {
				n, err := tx.Get(edited, "/n")
				if err != nil {
					return err
				}
				if runs = append(runs, string(n)); len(runs) == 1 {
					write(t, filepath.Join(dir, edited), `{"n":20}`)
				}
				for _, name := range files {
					if err := tx.Set(name, "/of", string(n)); err != nil {
						return err
					}
				}
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, []string{"1", "20"}, runs)
			require.Empty(t, res.Warnings)
			for _, name := range files {
				require.Equal(t, `"20"`, get(t, s, name, "/of"))
			}
			require.Equal(t, "20", get(t, s, edited, "/n"))
			verify(t, s)
		})
	}
}
