package fuzz

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/wal/fsys"
)

// entriesWhole makes sure that what stands under the name of a tracked file's entry, in
// any workspace below a directory, was whole before it got that name: whenever its maker
// was killed, or the power failed.
func entriesWhole(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files := filepath.Dir(path)
		if !e.IsDir() || filepath.Base(files) != "files" || filepath.Base(filepath.Dir(files)) != ".jtx" {
			return nil
		}
		if strings.HasPrefix(e.Name(), "%new.") {
			return fs.SkipDir
		}
		lock, err := os.Lstat(filepath.Join(path, "lock"))
		if err != nil {
			return fmt.Errorf("half an entry: %w", err)
		}
		if !lock.Mode().IsRegular() || lock.Size() < lockmgr.FileSize {
			return fmt.Errorf("half an entry: %s is %v, %d bytes", path, lock.Mode(), lock.Size())
		}
		if strings.HasPrefix(e.Name(), "%%") {
			if kept, err := os.ReadFile(filepath.Join(path, "path")); err != nil || len(kept) == 0 {
				return fmt.Errorf("half an entry: %s has the path %q, %w", path, kept, err)
			}
		}
		return fs.SkipDir
	})
}

func makers() []*crashed {
	long := strings.Repeat("n", 150) + ".json"
	three := []string{"one/a.json", "one/" + long, "two/c.json"}
	return []*crashed{
		{workload: &workload{name: "a new file", files: []string{"one/a.json"}, steps: []step{set(2, "one/a.json")}}},
		{workload: &workload{name: "a long name", files: []string{long}, seed: map[string]string{long: small}, steps: []step{set(2, long)}}},
		{workload: &workload{name: "three files", files: three, init: true, seed: map[string]string{three[1]: small}, steps: []step{set(2, three...)}}},
		{workload: &workload{name: "three files, none", files: three, init: true, level: txn.None, seed: map[string]string{three[1]: small}, steps: []step{set(2, three...)}}},
	}
}

// TestEntriesAreMadeWhole: at every event of the making of entries the power may fail, or
// the process be killed.
func TestEntriesAreMadeWhole(t *testing.T) {
	for _, c := range makers() {
		t.Run(c.name, func(t *testing.T) { explore(t, kindEntry, c.config(t)) })
	}
}

// TestHalfAnEntryIsFound: where what is in an entry, or its names, are not synced before
// it gets its own. With both synced none is found in as many states.
func TestHalfAnEntryIsFound(t *testing.T) {
	look := func(t *testing.T, drop func(name string, isDir bool) bool) crashfs.Config {
		c := makers()[1]
		c.drop = drop
		cfg := c.config(t)
		cfg.PerCut, cfg.States, cfg.Depth = 4000, 60000, 0
		cfg.Recover = func(_ fsys.FS, dir string, _ crashfs.Crash) error { return entriesWhole(dir) }
		cfg.Check = func(string, crashfs.Crash) error { return nil }
		return cfg
	}
	for fault, dirs := range map[string]bool{"a new entry's files are not synced": false, "a new entry is not synced": true} {
		t.Run(fault, func(t *testing.T) {
			mustFind(t, kindEntry, fault, look(t, func(name string, isDir bool) bool {
				return isDir == dirs && strings.Contains(name, "%new.")
			}))
		})
	}
	t.Run("all is synced", func(t *testing.T) { explore(t, kindEntry, look(t, nil)) })
}
