//go:build unix

package txn_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// doomed is what a process that will be killed is to do.
type doomed struct {
	Dir    string
	Boot   byte
	Seed   uint64
	Files  []string
	Calls  int    // of the file system, until it is killed
	Intent string // where to write what each file would hold
	Move   bool   // only give the first file the second name
}

const doomedEnv = "JTX_TEST_DOOMED"

// killFS kills the process, as kill -9 does, when it has been called often enough.
type killFS struct {
	fsys.FS
	left atomic.Int64 // journals are synced in parallel
}

func (k *killFS) call() {
	if k.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // can't fail, nor return
		select {}
	}
}

func (k *killFS) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	k.call()
	f, err := k.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &killFile{f, k}, nil
}

func (k *killFS) Rename(from, to string) error {
	k.call()
	return k.FS.Rename(from, to)
}

func (k *killFS) RenameNoReplace(from, to string) error {
	k.call()
	return k.FS.RenameNoReplace(from, to)
}

func (k *killFS) Exchange(a, b string) error {
	k.call()
	return k.FS.Exchange(a, b)
}

func (k *killFS) Link(from, to string) error {
	k.call()
	return k.FS.Link(from, to)
}

func (k *killFS) Remove(name string) error {
	k.call()
	return k.FS.Remove(name)
}

type killFile struct {
	fsys.File
	k *killFS
}

func (f *killFile) WriteAt(p []byte, off int64) (int, error) {
	f.k.call()
	return f.File.WriteAt(p, off)
}

// TestDoomed is not a test: it is the process that is killed.
func TestDoomed(t *testing.T) {
	text := os.Getenv(doomedEnv)
	if text == "" {
		t.Skip("only run by other tests")
	}
	var d doomed
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	w := &world{t: t, rnd: rand.New(rand.NewPCG(d.Seed, 0))}
	disk := &killFS{FS: fsys.OS}
	disk.left.Store(int64(d.Calls))
	s, err := txn.Open(d.Dir, txntest.With(txn.Options{Actor: "doomed"}, txntest.Hooks{Boot: [16]byte{d.Boot}, FS: disk}))
	require.NoError(t, err)
	if d.Move {
		_, err = s.Move(context.Background(), d.Files[0], d.Files[1])
		require.NoError(t, err)
		return
	}
	_, err = s.Do(context.Background(), d.Files, func(tx *txn.Tx) error {
		intent := map[string]string{}
		for _, name := range d.Files {
			if err := w.change(tx, name); err != nil {
				return err
			}
			intent[name] = absentText
			if data, err := tx.Bytes(name); err == nil {
				intent[name] = string(data)
			}
		}
		data, err := json.Marshal(intent)
		if err != nil {
			return err
		}
		return os.WriteFile(d.Intent, data, 0o600)
	})
	require.NoError(t, err)
}

// run tells whether the process was killed; else it did all that it was to do.
func (d doomed) run(t *testing.T) bool {
	t.Helper()
	text, err := json.Marshal(d)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestDoomed$")
	cmd.Env = append(os.Environ(), doomedEnv+"="+string(text))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
		return false
	}
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), string(out))
	return true
}

// killed lets another process change a few files and be killed in the middle: all
// of its transaction is there after recovery, or nothing.
func (w *world) killed() {
	d := doomed{Dir: w.dir, Boot: w.boot, Seed: w.rnd.Uint64(), Calls: 1 + w.rnd.IntN(60), Intent: filepath.Join(w.t.TempDir(), "intent")}
	for _, name := range w.pick() {
		if len(w.copies[name]) > 0 {
			d.Files = append(d.Files, name)
		}
	}
	if len(d.Files) == 0 {
		return
	}
	killed := d.run(w.t)
	if killed {
		w.kills++
	}
	_, err := admin.Recover(context.Background(), w.s, nil, admin.RecoverOptions{})
	require.NoError(w.t, err)
	intent := map[string]string{}
	if data, err := os.ReadFile(d.Intent); err == nil {
		require.NoError(w.t, json.Unmarshal(data, &intent))
	}
	if w.settleIntent(d.Files, intent) && killed {
		w.kept++
	}
	w.verify(d.Files)
}

// settleIntent finds which of all and nothing it is, and tells whether it is all.
func (w *world) settleIntent(names []string, intent map[string]string) bool {
	done, undone := 0, 0
	for _, name := range names {
		before := w.now[name]
		after, meant := intent[name]
		switch now := w.read(name); {
		case !meant || after == before:
			require.Equal(w.t, before, now)
		case now == before:
			undone++
		default:
			require.Equal(w.t, after, now)
			w.copies[name][uint64(len(w.copies[name])+1)] = now
			done++
		}
	}
	require.True(w.t, done == 0 || undone == 0, "%d files were changed, %d were not", done, undone)
	return done > 0
}

// A move that is killed wherever it may be leaves the file under one name, and for
// nobody that it was not for.
func TestMoveThatIsKilledIsAllOrNothing(t *testing.T) {
	for calls := 1; ; calls += 2 {
		dir := t.TempDir()
		s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: [16]byte{1}}))
		require.NoError(t, err)
		write(t, filepath.Join(dir, "a.json"), `{"secret":1}`)
		require.NoError(t, os.Chmod(filepath.Join(dir, "a.json"), 0o600))
		killed := doomed{Dir: dir, Boot: 1, Files: []string{"a.json", "b.json"}, Calls: calls, Move: true}.run(t)
		_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
		require.NoError(t, err)
		var left []string
		for _, name := range []string{"a.json", "b.json"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				left = append(left, name)
			}
		}
		require.Len(t, left, 1, "killed at call %d", calls)
		require.Equal(t, `{"secret":1}`, read(t, filepath.Join(dir, left[0])))
		require.Equal(t, os.FileMode(0o600), modeOf(t, dir, left[0]), "killed at call %d", calls)
		verify(t, s)
		if !killed {
			require.Equal(t, "b.json", left[0])
			return
		}
	}
}
