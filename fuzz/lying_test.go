package fuzz

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// TestLyingSyncAndCrashes: the k-th sync fails, and those of the same file succeed
// afterwards without doing anything, as Linux may. Then the power goes. Nothing
// may be lost that was acknowledged after the error.
func TestLyingSyncAndCrashes(t *testing.T) {
	f := []string{"d/a.json", "d/b.json", "e/c.json"}
	for name, w := range map[string]*workload{
		"one file": {files: f[:1], seed: map[string]string{f[0]: small}, ready: []step{set(0, f[0])},
			steps: []step{set(2, f[0]), set(3, f[0]), put(small, f[0])}},
		"three files": {files: f, seed: map[string]string{f[0]: small, f[1]: small}, ready: []step{set(0, f...)},
			steps: []step{set(2, f...), set(3, f...)}},
	} {
		t.Run(name, func(t *testing.T) {
			row := evidence.Start(t, "crash models, with an fsync that fails once and then lies", "disk states")
			clean := cleanRun(t, w)
			for call := 0; ; call++ {
				fault := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call, Err: syscall.EIO, Lie: true, Ops: []string{"sync", "datasync"}})
				cfg := (&crashed{workload: w, fault: fault, clean: clean}).config(t)
				cfg.Depth, cfg.States = 0, 120**effort
				stats, found, err := crashfs.Search(cfg)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range found {
					t.Fatalf("sync %d fails: %s", call, v.Report(t.Name()))
				}
				row.Tried, row.Checked, row.Seed = row.Tried+stats.Distinct, row.Checked+stats.Checked, stats.Seed
				if fault.Failed() == 0 {
					t.Logf("%d syncs", call)
					return
				}
			}
		})
	}
}

// filesFail lets the calls on files fail, and those on directories be: a file
// system whose own journal fails stops for good.
type filesFail struct {
	fsys.FS
	failing *fsys.Failing
}

func (f filesFail) OpenFile(name string, flag int, perm fs.FileMode) (fsys.File, error) {
	if info, err := f.Stat(name); err == nil && info.IsDir() {
		return f.FS.OpenFile(name, flag, perm)
	}
	return f.failing.OpenFile(name, flag, perm)
}

// cleanRun is what the files hold after each step where nothing fails and none is
// behind.
func cleanRun(t *testing.T, w *workload) (states []contents) {
	plain := *w
	plain.behind = txn.WriteBehind{}
	dir := scratch(t)
	err := plain.still(t, func() error {
		if err := plain.setup(dir); err != nil {
			return err
		}
		before, err := plain.read(dir)
		if err != nil {
			return err
		}
		states = []contents{before}
		return plain.run(fsys.OS, dir, func(c contents) { states = append(states, c) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return states
}
