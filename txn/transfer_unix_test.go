//go:build unix

package txn_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

func modeOf(t *testing.T, elem ...string) os.FileMode {
	t.Helper()
	info, err := os.Stat(filepath.Join(elem...))
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestMovedFileIsForNobodyElse(t *testing.T) {
	ctx := context.Background()
	for _, from := range []os.FileMode{0o600, 0o640, 0o644} {
		for _, to := range []os.FileMode{0, 0o600, 0o640, 0o644} {
			s, dir := openStore(t)
			a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
			write(t, a, `{"secret":1}`)
			require.NoError(t, os.Chmod(a, from))
			want := from
			if to != 0 {
				set(t, s, "b.json", "/n", 1)
				require.NoError(t, os.Chmod(b, to))
				want &= to
			}
			_, err := s.Copy(ctx, "a.json", "b.json", txn.Replacing())
			require.NoError(t, err)
			require.Equal(t, want, modeOf(t, b))
			require.Zero(t, modeOf(t, dir, ".jtx", "files", "b.json")&0o077&^(want|want>>2), "%v to %v", from, to)
			require.Equal(t, from, modeOf(t, a))
			verify(t, s)
		}
	}
}

func TestMoveToAWorkspaceAside(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	set(t, s, "a.json", "/n", 1)
	res, err := s.Move(ctx, "a.json", "sub/b.json", txn.WithMessage("tidy"))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "a.json"))
	require.Equal(t, "{\n  \"n\": 1\n}\n", read(t, filepath.Join(dir, "sub", "b.json")))
	for e, err := range history.Log(ctx, s, []string{"sub/b.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		require.Equal(t, "tidy", e.Message)
		require.Equal(t, []history.Origin{{How: history.MovedFrom, File: filepath.Join(dir, "a.json"), Rev: 1}}, e.Files[0].Origins)
		require.Equal(t, []string{filepath.Join(dir, "a.json")}, e.Others)
	}
	_, err = s.Move(ctx, "sub/b.json", "sub/b.json")
	require.ErrorIs(t, err, txn.ErrInvalid)
	set(t, s, "a.json", "/n", 2)
	_, err = s.Move(ctx, "sub/b.json", "a.json")
	require.ErrorIs(t, err, txn.ErrExists)
	require.ErrorIs(t, err, txn.ErrConflict)
	_, err = history.Undo(ctx, s, res.ID)
	require.ErrorIs(t, err, txn.ErrConflict, "a.json was made again")
	verify(t, s)
}

// A move over a file that is cut off before the rename is finished by recovery,
// which gives the file no wider mode than the move would have, nor its journal.
func TestMoveThatIsCutOffWidensNothing(t *testing.T) {
	ctx := context.Background()
	for _, inPlace := range []bool{false, true} {
		for _, modes := range [][2]os.FileMode{{0o600, 0o644}, {0o640, 0o604}, {0o644, 0o600}, {0o644, 0o664}} {
			s, h, dir := openHooked(t, txn.Options{InPlace: inPlace})
			a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
			set(t, s, "b.json", "/n", 1)
			require.NoError(t, os.Chmod(b, modes[1]))
			set(t, s, "b.json", "/n", 2)
			write(t, a, `{"secret":1}`)
			require.NoError(t, os.Chmod(a, modes[0]))
			want := modes[0] & modes[1]
			narrow := func() {
				t.Helper()
				require.Zero(t, modeOf(t, dir, ".jtx", "files", "b.json")&0o077&^(want|want>>2))
			}
			h.overwritten = b
			h.hook = func(op, name string) error {
				if name == b && (op == "rename" || op == "exchange" || op == "overwrite") {
					return os.ErrDeadlineExceeded
				}
				return nil
			}
			res, err := s.Move(ctx, "a.json", "b.json", txn.Replacing())
			require.NoError(t, err)
			require.NotEmpty(t, res.Warnings)
			require.Contains(t, read(t, b), `"n": 2`, "it was cut off")
			narrow()

			h.hook = func(op, name string) error { narrow(); return nil }
			rep, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{})
			require.NoError(t, err)
			require.Len(t, rep.Files, 1)
			require.Equal(t, `{"secret":1}`, read(t, b))
			require.Equal(t, want, modeOf(t, b))
			set(t, s, "b.json", "/secret", 2)
			require.Equal(t, want, modeOf(t, b))

			// Who may widen the file says so.
			h.hook = nil
			require.NoError(t, os.Chmod(b, 0o644))
			set(t, s, "b.json", "/secret", 3)
			require.Equal(t, os.FileMode(0o644), modeOf(t, b))
			require.Equal(t, os.FileMode(0o755), modeOf(t, dir, ".jtx", "files", "b.json"))
		}
	}
}

// Another writer that waits for the file while it is replaced doesn't open its
// journal to those whom the new content is not for.
func TestMoveBesideAWriterThatWaits(t *testing.T) {
	ctx := context.Background()
	s, h, dir := openHooked(t, txn.Options{})
	set(t, s, "b.json", "/n", 1)
	require.NoError(t, os.Chmod(filepath.Join(dir, "b.json"), 0o644))
	set(t, s, "b.json", "/n", 2)
	write(t, filepath.Join(dir, "a.json"), `{"secret":1}`)
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.json"), 0o600))
	other, err := txn.Open(dir, txn.Options{LockTimeout: time.Millisecond})
	require.NoError(t, err)
	waited := 0
	h.hook = func(op, name string) error {
		if filepath.Dir(name) != dir || op != "open" {
			return nil
		}
		_, err := other.Do(ctx, []string{"b.json"}, func(tx *txn.Tx) error { return tx.Set("b.json", "/n", 3) })
		require.ErrorIs(t, err, txn.ErrLockTimeout)
		waited++
		require.Equal(t, os.FileMode(0o700), modeOf(t, dir, ".jtx", "files", "b.json"))
		return nil
	}
	_, err = s.Move(ctx, "a.json", "b.json", txn.Replacing())
	require.NoError(t, err)
	require.NotZero(t, waited)
}

// What comes back from a backup is for nobody whom the backup does not let read it,
// wherever it comes back to.
func TestRestoredFileIsForNobodyElse(t *testing.T) {
	ctx := context.Background()
	from, dir := openStore(t)
	for name, mode := range map[string]os.FileMode{"secret.json": 0o600, "group.json": 0o640, "open.json": 0o644} {
		set(t, from, name, "/pw", name)
		require.NoError(t, os.Chmod(filepath.Join(dir, name), mode))
		set(t, from, name, "/n", 1)
	}
	dest := filepath.Join(t.TempDir(), "b.tar")
	_, err := admin.Backup(ctx, from, dest, admin.BackupOptions{})
	require.NoError(t, err)
	for _, there := range []bool{false, true} {
		for _, inPlace := range []bool{false, true} {
			s, dir := openStore(t)
			if there {
				for _, name := range []string{"secret.json", "group.json", "open.json"} {
					set(t, s, name, "/n", 0)
				}
			}
			var opts []txn.Option
			if inPlace {
				opts = append(opts, txn.WithInPlace())
			}
			_, err := admin.RestoreBackup(ctx, s, dest, nil, opts...)
			require.NoError(t, err)
			for name, most := range map[string]os.FileMode{"secret.json": 0o600, "group.json": 0o640, "open.json": 0o644} {
				require.Zero(t, modeOf(t, dir, name)&^most, name)
				require.Zero(t, modeOf(t, dir, ".jtx", "files", name)&0o077&^(most|most>>2), name)
				require.Equal(t, `"`+name+`"`, get(t, s, name, "/pw"))
			}
			verify(t, s)
		}
	}
}
