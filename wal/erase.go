package wal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/wal/fsys"
)

// damagedName is the directory below the file's own for what was set aside of it.
const damagedName = "damaged"

// Erase removes the journal that belongs to the file directory dir, what former
// generations and damage left of it, and its state. Locks stay, since they must never be
// unlinked. The caller holds the file's exclusive lock. It is a switch to a generation
// without a record: killed in between, it leaves the whole journal or none. The state goes
// first, without which a journal is read as after a reboot.
func Erase(fsy fsys.FS, dir string) error {
	_, gen, err := JournalDir(fsy, dir)
	if err != nil {
		return err
	}
	l := &Log{dir: dir, fs: fsy, state: State{Gen: gen + 1}}
	empty := l.journal()
	steps := []func() error{
		func() error { return wipeState(fsy, dir) },
		func() error { return fsys.RemoveTree(fsy, empty+genTemp) },
		func() error { return fsy.Mkdir(empty+genTemp, 0o700) },
		func() error { return fsy.Rename(empty+genTemp, empty) },
		l.removeOld,
		func() error { return fsys.RemoveTree(fsy, filepath.Join(dir, damagedName)) },
		func() error { return fsys.SyncDir(fsy, dir) }, // else what is gone might come back alone
		func() error { return fsy.Remove(empty) },
		func() error { return fsys.SyncDir(fsy, dir) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		fsys.Step("wal.erase")
	}
	return nil
}

// wipeState durably overwrites the state of dir by nothing.
func wipeState(fsy fsys.FS, dir string) error {
	f, err := fsy.OpenFile(StatePath(dir), os.O_WRONLY|careful, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, stateSlots), stateOffset); err != nil {
		return err
	}
	return f.Datasync()
}
