package admin_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/backup"
)

// forged writes a tar that says of itself what it holds.
func forged(t *testing.T, name, base string, listed []backup.File, held map[string]string) {
	t.Helper()
	text, err := json.Marshal(backup.Manifest{Format: 1, Files: listed, Base: base})
	require.NoError(t, err)
	held["jtx-backup.json"] = string(text)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range held {
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), Mode: 0o666}))
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(name, out.Bytes(), 0o600))
}

func listed(path, text string) backup.File {
	return backup.File{Path: backup.Path(path), Size: int64(len(text)), SHA256: backup.HashOf([]byte(text)), Mode: "0666"}
}

func TestAForgedBackupReachesNothingOutside(t *testing.T) {
	ctx := context.Background()
	const text = `{"evil":1}`
	outside := t.TempDir()
	for name, path := range map[string]string{
		"dots": "../x.json", "dots within": "a/../../x.json", "absolute": "/x.json", "the workspace": ".jtx/config.json",
		"not clean": "a/../x.json", "a link to a directory": "link/x.json", "a link to a file": "own.json",
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			set(t, s, "b.json", "/n", 1)
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
			require.NoError(t, os.Symlink(filepath.Join(outside, "own.json"), filepath.Join(dir, "own.json")))
			tarball := filepath.Join(t.TempDir(), "b.tar")
			forged(t, tarball, "", []backup.File{listed(path, text)}, map[string]string{"files/" + path: text})
			before := everything(t, dir)
			_, err := admin.RestoreBackup(ctx, s, tarball, nil)
			require.Error(t, err)
			require.Equal(t, before, everything(t, dir))
			left, err := os.ReadDir(outside)
			require.NoError(t, err)
			require.Empty(t, left)
			require.NoFileExists(t, filepath.Join(filepath.Dir(dir), "x.json"))
		})
	}
}

func TestAForgedBackupEnds(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.tar"), filepath.Join(dir, "two.tar")
	in := listed("a.json", "{}")
	in.InBase = true
	forged(t, one, "two.tar", []backup.File{in}, map[string]string{})
	forged(t, two, "one.tar", []backup.File{in}, map[string]string{})
	_, err := backup.Check(one)
	require.ErrorIs(t, err, backup.ErrBad)
	require.ErrorContains(t, err, "builds on itself")
	forged(t, one, "./one.tar", []backup.File{in}, map[string]string{})
	_, err = backup.Check(one)
	require.ErrorContains(t, err, "builds on itself")

	twice := listed("a.json", "{}")
	forged(t, one, "", []backup.File{twice, twice}, map[string]string{"files/a.json": "{}"})
	_, err = backup.Check(one)
	require.ErrorIs(t, err, backup.ErrBad)
	long := listed("a.json", "{}")
	long.Size = 1 << 60
	forged(t, one, "", []backup.File{long}, map[string]string{"files/a.json": "{}"})
	_, err = backup.Check(one)
	require.ErrorIs(t, err, backup.ErrBad)
}

// The base must hold what it held when the backup was made.
func TestABaseThatIsAnotherOne(t *testing.T) {
	ctx := context.Background()
	s, _ := openStore(t)
	set(t, s, "a.json", "/n", 1)
	out := t.TempDir()
	base, next := filepath.Join(out, "base.tar"), filepath.Join(out, "next.tar")
	_, err := admin.Backup(ctx, s, base, admin.BackupOptions{})
	require.NoError(t, err)
	_, err = admin.Backup(ctx, s, next, admin.BackupOptions{Base: base})
	require.NoError(t, err)
	_, err = backup.Check(next)
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, os.Remove(base))
	_, err = admin.Backup(ctx, s, base, admin.BackupOptions{})
	require.NoError(t, err)
	_, err = backup.Check(next)
	require.ErrorIs(t, err, backup.ErrBad)
	_, err = admin.RestoreBackup(ctx, s, next, nil)
	require.ErrorIs(t, err, txn.ErrDamaged)
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
}

// A backup takes no name that may be somebody else's.
func TestBackupRemovesNothing(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "b.tmp"), 0o755))
	write(t, filepath.Join(dir, "b.tmp", "mine.json"), "{}")
	write(t, filepath.Join(dir, "c.tar.tmp"), "mine")
	for _, dest := range []string{"b", "c.tar"} {
		m, err := admin.Backup(ctx, s, dest, admin.BackupOptions{})
		require.NoError(t, err)
		require.Equal(t, m.Files[0].Time, m.At)
	}
	require.FileExists(t, filepath.Join(dir, "b.tmp", "mine.json"))
	require.Equal(t, "mine", read(t, filepath.Join(dir, "c.tar.tmp")))
	left, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	require.NoError(t, err)
	require.Len(t, left, 2)
}
