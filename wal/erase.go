package wal

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys"
)

// erasedName is what a journal is called while it is removed.
const erasedName = "erased"

// Erase removes the journal that belongs to the file directory dir, what former
// generations and damage left of it, and its `state`. Locks stay, since they must
// never be unlinked. The caller holds the file's exclusive lock. Killed in between, it
// leaves the whole journal or none: `state` goes first, without which a journal is read
// as after a reboot, and the journal goes by a rename.
func Erase(fsy fsys.FS, dir string) error {
	journal, gen, err := JournalDir(fsy, dir)
	if err != nil {
		return err
	}
	erased := filepath.Join(dir, erasedName)
	steps := []func() error{
		func() error { return fsys.RemoveTree(fsy, erased) },
		func() error { return ignoreNotExist(fsy.Remove(StatePath(dir))) },
		func() error { return fsys.SyncDir(fsy, dir) },
		func() error {
			if gen == 0 {
				return nil
			}
			return ignoreNotExist(fsy.Remove(filepath.Join(dir, currentName)))
		},
		func() error { return ignoreNotExist(fsy.Rename(journal, erased)) },
		func() error { return fsys.SyncDir(fsy, dir) },
		func() error { return removeErased(fsy, dir) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		fsys.Step("wal.erase")
	}
	return nil
}

// removeErased removes what is no journal any more.
func removeErased(fsy fsys.FS, dir string) error {
	entries, err := fsy.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if name == erasedName || name == "damaged" || strings.HasPrefix(name, journalName+".") {
			err = errors.Join(err, fsys.RemoveTree(fsy, filepath.Join(dir, name)))
		}
	}
	return err
}
