package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// createWorkspace makes the workspace of dir for a user's files: built whole under
// another name, synced, renamed into place, then activated. Where another process was
// faster, theirs stands, and made is false.
func (s *Site) createWorkspace(ctx context.Context, dir string, how Lookup, tree bool) (made bool, err error) {
	uid := how.uid
	name, err := s.MetaName(dir, uid)
	if err != nil {
		return false, err
	}
	if me := os.Geteuid(); name != MetaDir && me > 0 && uid != me {
		// It would be the caller's, and so not be found for files of that user.
		return false, fmt.Errorf("%s: %w: in a sticky directory only the owner of a file (uid %d) begins its history", dir, fs.ErrPermission, uid)
	}
	meta := filepath.Join(dir, name)
	for range MaxRounds {
		if made, err = s.place(dir, meta, uid, tree); err == nil {
			err = s.enterPlaced(ctx, dir, name, how)
		}
		if err == nil || !s.wentAgain(meta, err) {
			break
		}
	}
	return made, err
}

// wentAgain tells of an error that there is since another process has taken its own
// workspace back, which it had made for a change that was refused.
func (s *Site) wentAgain(meta string, err error) bool {
	var lost *lostError
	if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &lost) {
		return false
	}
	_, statErr := s.FS.Lstat(meta)
	return errors.Is(statErr, fs.ErrNotExist)
}

// place builds a workspace and gives it its name. It is false, and no error, where another
// one has that.
func (s *Site) place(dir, meta string, uid int, tree bool) (placed bool, err error) {
	temp, err := s.buildWorkspace(dir, uid, tree)
	if err == nil {
		err = lockmgr.Check(filepath.Join(temp, LockName), dir)
	}
	if err != nil {
		// What can't be removed now either, a sweep removes.
		_ = s.removeBuilt(temp)
		return false, err
	}
	if err = s.FS.Rename(temp, meta); err == nil {
		return true, nil
	}
	if cleanup := s.removeBuilt(temp); cleanup != nil {
		return false, errors.Join(err, cleanup)
	}
	if _, statErr := s.FS.Lstat(meta); statErr != nil {
		return false, err
	}
	return false, nil
}

// enterPlaced makes sure of the workspace that was placed in dir, and activates it.
func (s *Site) enterPlaced(ctx context.Context, dir, name string, how Lookup) error {
	if err := fsys.SyncDir(s.FS, dir); err != nil {
		return err
	}
	fsys.Step("workspace.placed")
	meta := filepath.Join(dir, name)
	w, err := s.readNamed(dir, name, how.uid)
	if err == nil && w == nil {
		err = &lostError{meta: meta, what: formatFile}
	}
	if !errors.Is(err, errInactive) {
		return err
	}
	return s.activate(ctx, meta, how)
}

// buildWorkspace returns the name also where it fails, with some of it built.
func (s *Site) buildWorkspace(dir string, uid int, tree bool) (string, error) {
	temp := filepath.Join(dir, MetaDir+"."+wal.NewID().String()+".tmp")
	a, err := s.AccessOfDir(dir, uid)
	if err != nil {
		return temp, err
	}
	for _, d := range []string{temp, filepath.Join(temp, FilesDir), filepath.Join(temp, TxDir)} {
		if err := a.Mkdir(s.FS, d); err != nil {
			return temp, err
		}
	}
	f := NewFormat(tree)
	files := map[string]string{formatNew: f.Text(), ".gitignore": "*\n", LockName: ""}
	for _, name := range []string{".gitignore", LockName, formatNew} {
		own := a
		if name != LockName {
			own.File &^= 0o022 // only its maker changes it
		}
		if err := own.WriteFile(s.FS, filepath.Join(temp, name), files[name]); err != nil {
			return temp, err
		}
	}
	return temp, fsys.SyncDir(s.FS, temp)
}

func (s *Site) removeBuilt(temp string) error {
	for _, name := range []string{".gitignore", LockName, formatNew, FilesDir, TxDir, ""} {
		if err := s.FS.Remove(filepath.Join(temp, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// activate lets a placed workspace be used. A farther one may already cover its
// files: whoever uses that holds its lock shared and looks for a nearer one
// after locking. So either they saw this one, and wait for it to be active, or
// they are seen here, because it was placed before the look: what they left
// unfinished is finished, and their locks are waited for, before this one takes
// over. Nothing is finished under the farther workspace's own lock, since that may
// need the locks of other workspaces, which come in their order.
func (s *Site) activate(ctx context.Context, meta string, how Lookup) error {
	dir := filepath.Dir(meta)
	if dir == filepath.Dir(dir) {
		return s.finishActivation(meta)
	}
	for range MaxRounds {
		far, err := s.nearest(ctx, filepath.Dir(dir), dir, Lookup{uid: how.uid})
		if err != nil {
			return err
		}
		if far == nil {
			return s.finishActivation(meta)
		}
		var damaged map[string]bool
		begun, err := s.tookSome(meta)
		if err == nil && !begun {
			damaged, err = s.settleBelow(ctx, far, meta, how.Hasty)
		}
		if err != nil {
			return err
		}
		done, err := s.takeOver(ctx, far, meta, damaged, s.waitFor(how))
		if done || err != nil {
			return err
		}
	}
	return &fault.Error{Kind: fault.ErrConflict, File: dir, Err: fmt.Errorf("its files were never at rest")}
}

// takeOver activates a placed workspace if all that far has below it is settled
// while nobody is in far's files, but for those that are damaged. Their histories go
// with it.
func (s *Site) takeOver(ctx context.Context, far *Workspace, meta string, damaged map[string]bool, patience time.Duration) (done bool, err error) {
	held, err := s.Locks.Acquire(ctx, patience, []lockmgr.Request{far.LockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	begun, err := s.tookSome(meta)
	if err != nil {
		return false, err
	}
	if !begun {
		open, err := s.unsettledBelow(far, meta)
		if err != nil {
			return false, err
		}
		for _, t := range open {
			if !damaged[t.Real] {
				return false, nil
			}
		}
	}
	if _, err := s.FS.Lstat(filepath.Join(meta, formatNew)); errors.Is(err, fs.ErrNotExist) {
		return true, nil // somebody else has done it
	}
	if err := s.takeAlong(far, meta); err != nil {
		return false, err
	}
	return true, s.finishActivation(meta)
}

func (s *Site) finishActivation(meta string) error {
	err := s.FS.Rename(filepath.Join(meta, formatNew), filepath.Join(meta, formatName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody else has done it
		return err
	}
	fsys.Step("workspace.activated")
	return fsys.SyncDir(s.FS, meta)
}

// settleBelow settles the files of w that a nearer workspace is about to take over. Files that were damaged outside stay so, and are returned.
func (s *Site) settleBelow(ctx context.Context, w *Workspace, meta string, hasty bool) (damaged map[string]bool, err error) {
	open, err := s.unsettledBelow(w, meta)
	if err != nil {
		return nil, err
	}
	damaged = map[string]bool{}
	for _, t := range open {
		err := s.Settle(ctx, t.Real, meta, hasty)
		if errors.Is(err, fault.ErrDamaged) {
			damaged[t.Real] = true
		} else if err != nil {
			return nil, err
		}
	}
	return damaged, nil
}

// unsettledBelow lists the files of w whose commit may have been cut off, and which a
// nearer workspace is about to take over.
func (s *Site) unsettledBelow(w *Workspace, meta string) ([]*Target, error) {
	files, err := s.filesFor(w, meta)
	if err != nil {
		return nil, err
	}
	var open []*Target
	for _, t := range files {
		if !s.LeadsHere(t) {
			continue
		}
		_, _, settled, err := s.Position(t)
		if err != nil {
			return nil, err
		}
		if !settled {
			open = append(open, t)
		}
	}
	return open, nil
}

// WorkspaceFor is the workspace that covers dir, made where there is none.
func (s *Site) WorkspaceFor(ctx context.Context, dir string) (*Workspace, error) {
	w, err := s.FindWorkspace(ctx, dir)
	if err != nil || w != nil {
		return w, err
	}
	if _, err := s.createWorkspace(ctx, dir, Lookup{uid: os.Geteuid()}, false); err != nil {
		return nil, err
	}
	w, err = s.FindWorkspace(ctx, dir)
	if err == nil && w == nil {
		err = fmt.Errorf("%s: its workspace was removed as it was made", dir)
	}
	return w, err
}
