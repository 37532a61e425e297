package txn_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// Another process places a workspace just before this one does, and activates it
// between this one's looks for its two names.
func TestAWorkspaceIsSeenWhileItIsActivated(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	letGo(t, dir, "a.json")
	meta, away := filepath.Join(dir, ".jtx"), filepath.Join(dir, "away")
	format := filepath.Join(meta, "format")
	require.NoError(t, os.Rename(format, format+".new"))
	require.NoError(t, os.Rename(meta, away))
	activated := false
	h.hook = func(op, name string) error {
		switch {
		case op == "rename" && name == meta:
			return os.Rename(away, meta)
		case op == "open" && name == format && !activated:
			if os.Rename(format+".new", format) == nil {
				activated = true
			}
			return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return nil
	}
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
	require.NoError(t, err)
	require.True(t, activated)
	require.Equal(t, "3", get(t, s, "a.json", "/n"))
	versions := 0
	for _, err := range history.Log(context.Background(), s, []string{"a.json"}, history.LogOptions{}) {
		require.NoError(t, err)
		versions++
	}
	require.Equal(t, 3, versions, "its history goes on")
}

// A nearer workspace appears after a file was resolved, and before the locks that this
// led to are held: the second look sees it, and the change goes to its journal.
func TestANearerWorkspaceAppearsBeforeTheLock(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	_, _, err := s.Init(context.Background(), dir)
	require.NoError(t, err)
	other, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	entry := filepath.Join(dir, ".jtx/files/sub%2Fa.json")
	appeared := 0
	h.hook = func(op, name string) error {
		if op == "rename" && name == entry {
			appeared++
			_, _, err := other.Init(context.Background(), filepath.Join(dir, "sub"))
			return err
		}
		return nil
	}
	set(t, s, "sub/a.json", "/n", 1)
	require.Equal(t, 1, appeared)
	require.FileExists(t, filepath.Join(dir, "sub/.jtx/files/a.json/00000000000000000001"))
	require.Equal(t, "1", get(t, other, "sub/a.json", "/n"))
	require.NoFileExists(t, filepath.Join(entry, "00000000000000000001"))
	verify(t, s)
}

// A workspace that is to take over a file which lags behind its journal, and can't be
// carried forward, says what keeps it from that, and stays as it is placed.
func TestAWorkspaceCantTakeOverWhatLags(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	sub := filepath.Join(dir, "sub")
	require.NoError(t, os.Mkdir(sub, 0o755))
	_, _, err := s.Init(context.Background(), dir)
	require.NoError(t, err)
	set(t, s, "sub/a.json", "/n", 1)
	broken := true
	h.hook = func(op, name string) error {
		if broken && op == "exchange" && name == filepath.Join(sub, "a.json") {
			return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
		}
		return nil
	}
	res, err := s.Do(context.Background(), []string{"sub/a.json"}, func(tx *txn.Tx) error { return tx.Set("sub/a.json", "/n", 2) })
	require.NoError(t, err)
	require.NotEmpty(t, res.Warnings, "it lags")
	_, _, err = s.Init(context.Background(), sub)
	require.ErrorIs(t, err, syscall.EIO)
	require.NoFileExists(t, filepath.Join(sub, ".jtx/format"))
	broken = false
	_, _, err = s.Init(context.Background(), sub)
	require.NoError(t, err)
	require.Equal(t, "2", get(t, s, "sub/a.json", "/n"))
	verify(t, s)
}

// Another process has placed a workspace just before this one does, and takes it back
// before this one looks, since its change was refused.
func TestAWorkspaceGoesAgainAsThisOneIsPlaced(t *testing.T) {
	s, h, dir := openHooked(t, txn.Options{})
	meta := filepath.Join(dir, ".jtx")
	there, went := false, 0
	h.hook = func(op, name string) error {
		switch {
		case name != meta:
		case op == "rename" && went == 0:
			there = true
			return os.MkdirAll(filepath.Join(meta, "files"), 0o755)
		case op == "lstat" && there:
			there = false
			went++
			return os.RemoveAll(meta)
		}
		return nil
	}
	set(t, s, "a.json", "/n", 1)
	require.Equal(t, 1, went)
	require.Equal(t, "1", get(t, s, "a.json", "/n"))
	verify(t, s)
	left, err := filepath.Glob(filepath.Join(dir, ".jtx.*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
