package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// target is one file that a session locks.
type target struct {
	name string // as the caller named it, made absolute
	real string // symlinks resolved
	ws   *workspace
	rel  string // real, below the workspace's root
	dir  string // where its journal is
	file *recovery.File
	// plan is what the next change will do before its own work, where the file was
	// only looked at, and does not just hold its newest version.
	plan    *recovery.FilePlan
	planned *recovery.Plan // that it is a part of
	err     error          // why it could not be looked at
	info    fs.FileInfo    // the file's, when it was resolved; nil where there is none
	// parent is the file's directory, when it was resolved; nil where there is none.
	parent fs.FileInfo
	// private tells that the way to the file keeps people out who may pass the root of
	// its workspace.
	private bool
	// lost is why a file that had a journal has none.
	lost error
	// dirMode is that of dir, when its locks were asked for.
	dirMode fs.FileMode
	// like is a file whose content this one gets, so that its journal must be for
	// nobody who may not read that.
	like *target
	// ahead is the newest version where it is committed but not in place yet.
	ahead *ahead
	// most, where it is not nil, is the mode of the file that the content is from,
	// which is not there to look at.
	most *fs.FileMode
}

// current is what a transaction finds: the newest committed version.
func (t *target) current() recovery.Found {
	found := t.file.Found
	if t.ahead != nil {
		found.Version, found.Data, found.Doc = t.ahead.version, t.ahead.doc.Bytes(), t.ahead.doc
	}
	return found
}

// guarded tells that the file, and its journal, get content that is not for all who
// may read it now.
func (t *target) guarded() bool { return t.like != nil || t.most != nil }

func (t *target) key() recovery.Key { return recovery.Key{Workspace: t.ws.id, Path: t.rel} }

// order sorts locks: by workspace, then path. A workspace's own lock comes
// before those of its files.
func (t *target) order() string { return t.ws.id.String() + "\x00" + t.rel }

// resolve finds a file's real path and the workspace that covers it, nil where none
// does. It makes nothing.
func (s *Store) resolve(ctx context.Context, name string) (*target, error) {
	return s.resolveBy(ctx, name, lookup{look: true})
}

func (s *Store) resolveBy(ctx context.Context, name string, how lookup) (*target, error) {
	real, err := realPath(s.fs, name)
	if err != nil {
		return nil, fail(name, err)
	}
	t := &target{name: name, real: real}
	t.info, err = s.fs.Lstat(real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(name, err)
	}
	if t.info != nil && !t.info.Mode().IsRegular() {
		return nil, fail(name, fmt.Errorf("%w: %s", recovery.ErrNotRegular, kindOf(t.info.Mode())))
	}
	if isMeta(real) {
		return nil, &Error{Kind: ErrInvalid, File: name, Err: errorf("files in %s belong to jtx itself", metaDir)}
	}
	how.uid = s.userOf(t.info)
	return t, fail(name, s.findHome(ctx, t, how))
}

// userOf is the user whose file it is, or whose it will be.
func (s *Store) userOf(info fs.FileInfo) int {
	if info == nil {
		return os.Geteuid()
	}
	uid, _ := ownerOf(info)
	return uid
}

// findHome finds the workspace that covers a file, and makes one where that is asked
// for and none does, or where one does that would show the history to more people than
// the file.
func (s *Store) findHome(ctx context.Context, t *target, how lookup) (err error) {
	dir := filepath.Dir(t.real)
	if t.parent, err = s.fs.Lstat(dir); ignoreNotExist(err) != nil {
		return err
	}
	w, err := s.nearest(ctx, dir, dir, how)
	if err == nil && w == nil && how.create {
		var made bool
		if made, err = s.createWorkspace(ctx, dir, how.uid, false); err == nil {
			w, err = s.nearest(ctx, dir, dir, how)
			how.tell(made, w)
		}
		if err == nil && w == nil {
			err = errAgain // it has gone again
		}
	}
	for err == nil && w != nil {
		if err = t.in(w); err != nil || w.root == dir {
			return err
		}
		w, err = s.ownWorkspace(ctx, t, how)
	}
	return err
}

// in notes the workspace that covers the file.
func (t *target) in(w *workspace) error {
	rel, err := filepath.Rel(w.root, t.real)
	if err != nil {
		return err
	}
	t.ws, t.rel = w, filepath.ToSlash(rel)
	t.dir = w.fileDir(t.rel)
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

// isMeta tells whether a path leads through a .jtx directory.
func isMeta(path string) bool {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if fsys.IsMeta(filepath.Base(path)) {
			return true
		}
	}
	return false
}

// prepare makes the file's entry, where its lock is and its journal will be. Where the
// file's mode has been narrowed, the entry follows at once; where it has been widened, in
// [session.widen].
func (s *Store) prepare(t *target) (access, error) {
	a, err := s.accessFor(t)
	if err != nil {
		return access{}, err
	}
	have, err := s.fs.Lstat(t.dir)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = s.makeEntry(t, a)
		if errors.Is(err, fs.ErrExist) {
			return s.prepare(t) // somebody else was faster
		}
		t.dirMode = a.dir.Perm()
		return a, err
	}
	if err == nil && !have.IsDir() {
		err = fmt.Errorf("%s: %w: not a directory", t.dir, ErrUntrusted)
	}
	if err == nil {
		err = s.notEmptied(t)
	}
	if err != nil {
		return a, err
	}
	if t.dirMode = have.Mode().Perm(); t.dirMode&^a.dir.Perm() == 0 {
		return a, nil
	}
	t.dirMode &= a.dir.Perm()
	return a, s.chmodDir(t.dir, t.dirMode|a.dir&fs.ModeSetgid)
}

// notEmptied notes of an entry which is there that its journal, and with it the lock, was
// removed from it. What locks the file makes that lock anew.
func (s *Store) notEmptied(t *target) error {
	_, err := s.fs.Lstat(wal.StatePath(t.dir))
	if errors.Is(err, fs.ErrNotExist) {
		t.lost, err = isCorrupt(wal.Gone(s.fs, t.dir, wal.State{}, s.boot))
	}
	return err
}

// isCorrupt tells damage in a journal from an error that kept from looking at it.
func isCorrupt(err error) (damage, other error) {
	if errors.Is(err, wal.ErrCorrupt) {
		return err, nil
	}
	return nil, err
}

func (s *Store) chmodDir(dir string, mode fs.FileMode) error {
	f, err := s.fs.OpenFile(dir, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(mode)
}

// accessFor is the access of a file's journal: the file's own, but no more than
// that of a file whose content it gets.
func (s *Store) accessFor(t *target) (access, error) {
	a, err := s.ownAccess(t)
	if err == nil && t.like != nil && t.like.info != nil {
		a = a.within(t.like.accessOf(t.like.real, t.like.info), t.info == nil)
	}
	if err == nil && t.most != nil {
		give := dirMode(*t.most) | 0o700
		a.dir &= give | fs.ModeSetgid
		a.file &= give
	}
	return a, err
}

// ownAccess is the file's own, or for one that is not there yet, that of its
// journal's directory or of its maker.
func (s *Store) ownAccess(t *target) (access, error) {
	if t.info != nil {
		return t.accessOf(t.real, t.info), nil
	}
	have, err := s.fs.Lstat(t.dir)
	if err == nil {
		a := accessFor(have.Mode().Perm(), have)
		if t.private {
			a = a.ownersOnly()
		}
		return a, nil
	}
	if t.parent == nil { // it is made, as the one above it
		return s.accessOfDir(t.ws.root, s.userOf(nil))
	}
	a := ofNew(filepath.Dir(t.real), t.parent)
	if t.private {
		a = a.ownersOnly()
	}
	return a, nil
}

// accessOf is the access of the journal of a file that is there, under a name of its own
// while it is staged.
func (t *target) accessOf(name string, info fs.FileInfo) access {
	parent := t.parent
	if parent == nil {
		parent = info
	}
	a := accessOfFile(name, info, parent)
	if t.private {
		a = a.ownersOnly()
	}
	return a
}

// followNew narrows the journal's directory to what a new file lets people do, before
// anything of the file is in it: its mode comes of the umask.
func (s *Store) followNew(t *target, r *recovery.Replacement) error {
	info, err := r.StagedInfo()
	if info == nil || err != nil {
		return err
	}
	have, err := s.fs.Lstat(t.dir)
	if err != nil {
		return err
	}
	a := t.accessOf(recovery.Temp(t.real), info)
	if have.Mode().Perm()&^a.dir.Perm() == 0 {
		return nil
	}
	t.dirMode = have.Mode().Perm() & a.dir.Perm()
	return s.chmodDir(t.dir, t.dirMode|a.dir&fs.ModeSetgid)
}

// openLog opens the journal. The file's exclusive lock is held.
func (s *Store) openLog(t *target, a access) (*wal.Log, error) {
	if name, hashed := escape(t.rel); hashed {
		if err := s.keepPath(t, a); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return wal.Open(t.dir, s.journalOptions(t, a))
}

func (s *Store) journalOptions(t *target, a access) wal.Options {
	meta := t.ws.meta()
	return wal.Options{
		FS: s.fs, DirPerm: a.dir, FilePerm: a.file, Boot: s.boot,
		DirChain: []string{t.dir, filepath.Join(meta, filesDir), meta, t.ws.root},
	}
}

// keepPath brings the path back beside a journal whose name is a hash, where that was
// damaged or lost.
func (s *Store) keepPath(t *target, a access) error {
	name := filepath.Join(t.dir, pathName)
	have, err := fsys.ReadAtMost(s.fs, name, maxPath)
	if err == nil && string(have) == t.rel || ignoreNotExist(err) != nil {
		return err
	}
	return fsys.WriteFileAtomic(s.fs, name, []byte(t.rel), a.file)
}

func (t *target) lockRequest(a access, tx string) lockmgr.Request {
	return lockmgr.Request{
		Order: t.order(), Path: filepath.Join(t.dir, lockName),
		Mode: lockmgr.Exclusive, Perm: a.file, Tx: tx, Name: t.name,
	}
}
