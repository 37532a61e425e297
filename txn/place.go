package txn

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// unchanged looks once more, just before anything is renamed, whether another
// program changed a file since it was read. Then the unit is withdrawn, and the
// transaction runs again on the new bytes.
func (u *unit) unchanged() error {
	for _, f := range u.files {
		if err := f.repl.Unchanged(); err != nil {
			return u.again(f, err)
		}
	}
	return nil
}

func (u *unit) again(f *unitFile, err error) error {
	if errors.Is(err, recovery.ErrChanged) {
		return errors.Join(workspace.ErrAgain, err)
	}
	return fault.In(f.t.Name, err)
}

// place renames the staged files over the targets, syncs their directories, and
// writes `state`. What fails now does not undo the commit: the file lags behind
// its journal until recovery carries it forward. But a disk that fails right
// after the commit point is asked again whether it has the records.
func (u *unit) place() error {
	for i, f := range u.files {
		err := f.repl.Place(f.rec)
		if errors.Is(err, recovery.ErrChanged) {
			if i == 0 {
				return u.withdraw(u.again(f, err))
			}
			err = u.yield(f)
		} else if err == nil {
			f.placed = true
		}
		if err != nil {
			u.lags(f, err)
		}
		fsys.Step("commit.placed")
	}
	u.syncDirs()
	for _, f := range u.files {
		f.repl.Close()
		f.warn(u)
		u.settle(f)
	}
	if err := u.believe(); err != nil {
		return err
	}
	u.tidy()
	return nil
}

// settle writes to `state` that the file is in place, if it is.
func (u *unit) settle(f *unitFile) {
	if f.placed {
		f.repl.Named = u.syncsDirs()
		if err := f.repl.Settle(f.rec); err != nil {
			u.lags(f, err)
		}
		fsys.Step("commit.settled")
	}
	if !f.placed {
		u.ses.spoiled = true
		u.tellReaders(f)
		return
	}
	f.repl.Placed(f.draft.doc)
	if u.durability == Full {
		f.t.File.DirSynced()
	}
	f.t.Info, f.t.Ahead = f.t.File.Found.Info, nil
}

// tellReaders makes sure that `state` knows of a record that is acknowledged while its
// file lags: somebody who only looks believes no other.
func (u *unit) tellReaders(f *unitFile) {
	if err := f.log.MarkPending(); err != nil && u.untold == nil {
		u.untold = fault.In(f.t.Name, err)
	}
}

// believe makes sure, where the disk has failed since the commit point, that it
// was not about to when it said that it had the records.
func (u *unit) believe() error {
	if !u.lagging || u.durability == None && u.untold == nil {
		return nil
	}
	var syncs fsys.Syncs
	for _, f := range u.files {
		syncs.Call(f.log.SyncAgain, nil)
	}
	if err := errors.Join(syncs.Run(), u.untold); err != nil {
		return &Error{Kind: ErrInDoubt, File: u.files[0].t.Name, Err: fmt.Errorf("the disk failed during the commit: %w", err)}
	}
	return nil
}

// yield lets stand what another program saved after the first file of the unit
// was renamed: it is recorded as the version after the unit's.
func (u *unit) yield(f *unitFile) error {
	if err := f.repl.Discard(); err != nil {
		return err
	}
	if err := f.t.File.Look(); err != nil {
		return err
	}
	if done := recovery.Carry(f.t.File, f.rec); done.Err != nil {
		return done.Err
	}
	u.warnings = append(u.warnings, fmt.Sprintf("%s: another program saved it during the commit; its version follows", f.t.Name))
	return nil
}

func (u *unit) recoveryFiles() []*recovery.File {
	var files []*recovery.File
	for _, f := range u.files {
		files = append(files, f.t.File)
	}
	return files
}

// lags warns that a file does not show a committed change yet.
func (u *unit) lags(f *unitFile, err error) {
	f.placed, u.lagging = false, true
	u.warnings = append(u.warnings, fmt.Sprintf("%s: committed, but the file could not be replaced yet (%v); the next access through jtx, or jtx recover, does it", f.t.Name, err))
}

func (f *unitFile) warn(u *unit) {
	for _, w := range f.repl.Warnings {
		u.warnings = append(u.warnings, fmt.Sprintf("%s: %s", f.t.Name, w))
	}
}

// maxUnnamed is how many records of a file may go by, at level journal, before its name
// is made durable: so that what a power cut can bring back is a bounded number of versions.
const maxUnnamed = 64

// syncsDirs tells whether the unit makes the new names durable.
func (u *unit) syncsDirs() bool {
	return u.durability == Full || u.durability == Journal && slices.ContainsFunc(u.files, func(f *unitFile) bool {
		st := f.log.State()
		return st.Last-st.Named >= maxUnnamed
	})
}

// syncDirs makes the new names durable, each directory once, all at once.
func (u *unit) syncDirs() {
	if !u.syncsDirs() {
		return
	}
	files := onePerDir(u.files, func(f *unitFile) bool { return f.placed })
	var syncs fsys.Syncs
	for _, f := range files {
		f.repl.SyncDirIn(&syncs, func(err error) error {
			if err != nil {
				u.lagAll(filepath.Dir(f.t.Real), err)
			}
			return nil
		})
	}
	if len(files) == 0 {
		return
	}
	if err := syncs.Run(); err != nil {
		panic(err) // none of them returns one
	}
	fsys.Step("commit.dirs-synced")
}

// onePerDir lists those of the files that which selects, one of each directory.
func onePerDir(files []*unitFile, which func(*unitFile) bool) (list []*unitFile) {
	seen := map[string]bool{}
	for _, f := range files {
		if dir := filepath.Dir(f.t.Real); which(f) && !seen[dir] {
			seen[dir] = true
			list = append(list, f)
		}
	}
	return list
}

// lagAll warns for each file of a directory whose names may not be durable.
func (u *unit) lagAll(dir string, err error) {
	for _, f := range u.files {
		if f.placed && filepath.Dir(f.t.Real) == dir {
			u.lags(f, err)
		}
	}
}

// tidy keeps journals from growing without bound.
func (u *unit) tidy() {
	for _, f := range u.files {
		if !f.placed {
			continue
		}
		if err := u.ses.s.src.Tidy(u.ses.Ctx, f.t, f.segment); err != nil {
			u.ses.spoiled = true
			u.warnings = append(u.warnings, fmt.Sprintf("%s: its history could not be compressed: %v", f.t.Name, err))
		}
	}
}
