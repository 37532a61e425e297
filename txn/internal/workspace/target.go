package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Target is one file that a session locks.
type Target struct {
	Name string // as the caller named it, made absolute
	Real string // symlinks resolved
	WS   *Workspace
	Rel  string // real, below the workspace's root
	Dir  string // where its journal is
	File *recovery.File
	// Plan is what the next change will do before its own work, where the file was
	// only looked at, and does not just hold its newest version.
	Plan    *recovery.FilePlan
	Planned *recovery.Plan // that it is a part of
	Err     error          // why it could not be looked at
	Info    fs.FileInfo    // the file's, when it was resolved; nil where there is none
	// Parent is the file's directory, when it was resolved; nil where there is none.
	Parent fs.FileInfo
	// Private tells that the way to the file keeps people out who may pass the root of
	// its workspace.
	Private bool
	// Lost is why a file that had a journal has none.
	Lost error
	// DirMode is that of dir, when its locks were asked for.
	DirMode fs.FileMode
	// Like is a file whose content this one gets, so that its journal must be for
	// nobody who may not read that.
	Like *Target
	// Ahead is the newest version where it is committed but not in place yet.
	Ahead *Ahead
	// Most, where it is not nil, is the mode of the file that the content is from,
	// which is not there to look at.
	Most *fs.FileMode
}

// Guarded tells that the file, and its journal, get content that is not for all who
// may read it now.
func (t *Target) Guarded() bool { return t.Like != nil || t.Most != nil }

func (t *Target) Key() recovery.Key { return recovery.Key{Workspace: t.WS.ID, Path: t.Rel} }

// Order sorts locks: by workspace, then path. A workspace's own lock comes
// before those of its files.
func (t *Target) Order() string { return t.WS.ID.String() + "\x00" + t.Rel }

// Resolve finds a file's real path and the workspace that covers it, nil where none
// does. It makes nothing.
func (s *Site) Resolve(ctx context.Context, name string) (*Target, error) {
	return s.ResolveBy(ctx, name, Lookup{Look: true})
}

func (s *Site) ResolveBy(ctx context.Context, name string, how Lookup) (*Target, error) {
	real, err := RealPath(s.FS, name)
	if err != nil {
		return nil, fault.In(name, err)
	}
	t := &Target{Name: name, Real: real}
	t.Info, err = s.FS.Lstat(real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.In(name, err)
	}
	if t.Info != nil && !t.Info.Mode().IsRegular() {
		return nil, fault.In(name, fmt.Errorf("%w: %s", recovery.ErrNotRegular, kindOf(t.Info.Mode())))
	}
	if IsMeta(real) {
		return nil, &fault.Error{Kind: fault.ErrInvalid, File: name, Err: fmt.Errorf("files in %s belong to jtx itself", MetaDir)}
	}
	how.uid = s.UserOf(t.Info)
	return t, fault.In(name, s.findHome(ctx, t, how))
}

// UserOf is the user whose file it is, or whose it will be.
func (s *Site) UserOf(info fs.FileInfo) int {
	if info == nil {
		return os.Geteuid()
	}
	uid, _ := ownerOf(info)
	return uid
}

// findHome finds the workspace that covers a file, and makes one where that is asked
// for and none does, or where one does that would show the history to more people than
// the file.
func (s *Site) findHome(ctx context.Context, t *Target, how Lookup) (err error) {
	dir := filepath.Dir(t.Real)
	if t.Parent, err = s.FS.Lstat(dir); fault.UnlessMissing(err) != nil {
		return err
	}
	w, err := s.nearest(ctx, dir, dir, how)
	if err == nil && w == nil && how.Create {
		var made bool
		if made, err = s.createWorkspace(ctx, dir, how, false); err == nil {
			w, err = s.nearest(ctx, dir, dir, how)
			how.tell(made, w)
		}
		if err == nil && w == nil {
			err = ErrAgain // it has gone again
		}
	}
	for err == nil && w != nil {
		if err = t.in(w); err != nil || w.Root == dir {
			return err
		}
		w, err = s.ownWorkspace(ctx, t, how)
	}
	return err
}

// in notes the workspace that covers the file.
func (t *Target) in(w *Workspace) error {
	rel, err := filepath.Rel(w.Root, t.Real)
	if err != nil {
		return err
	}
	t.WS, t.Rel = w, filepath.ToSlash(rel)
	t.Dir = w.FileDir(t.Rel)
	return nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// IsMeta tells whether a path leads through a .jtx directory.
func IsMeta(path string) bool {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if fsys.IsMeta(filepath.Base(path)) {
			return true
		}
	}
	return false
}

// notEmptied notes of an entry which is there that its journal, and with it the lock, was
// removed from it. What locks the file makes that lock anew.
func (s *Site) notEmptied(t *Target) error {
	_, err := s.FS.Lstat(wal.StatePath(t.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		t.Lost, err = IsCorrupt(wal.Gone(s.FS, t.Dir, wal.State{}, s.Boot))
	}
	return err
}

// IsCorrupt tells damage in a journal from an error that kept from looking at it.
func IsCorrupt(err error) (damage, other error) {
	if errors.Is(err, wal.ErrCorrupt) {
		return err, nil
	}
	return nil, err
}

// Ahead is a committed version of a file that is not in place yet.
type Ahead struct {
	Doc     *jsonpatch.Document
	Version wal.Version
	Strict  bool // doc is known to be strict JSON
	Rec     *wal.Record
	Segment wal.LSN   // the journal's tail when the file began to lag
	Since   time.Time // when that was
}
