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
	// plan is what the next access would do, where nothing is to be done: a dry run.
	plan *recovery.FilePlan
	info fs.FileInfo // the file's, when it was resolved; nil where there is none
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

// resolve finds a file's real path and the workspace that covers it. With create
// a workspace is made where none covers it; else ws may be nil.
func (s *Store) resolve(ctx context.Context, name string, create bool) (*target, error) {
	return s.resolveBy(ctx, name, lookup{create: create})
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
	dir := filepath.Dir(real)
	t.ws, err = s.nearest(ctx, dir, dir, how)
	if err == nil && t.ws == nil && how.create {
		if err = s.createWorkspace(ctx, dir, false); err == nil {
			t.ws, err = s.findWorkspace(ctx, dir)
		}
		if err == nil && t.ws == nil {
			err = errAgain // it has gone again
		}
	}
	if err != nil || t.ws == nil {
		return t, fail(name, err)
	}
	rel, err := filepath.Rel(t.ws.root, real)
	if err != nil {
		return nil, fail(name, err)
	}
	t.rel = filepath.ToSlash(rel)
	t.dir = t.ws.fileDir(t.rel)
	return t, nil
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
		if isMetaName(filepath.Base(path)) {
			return true
		}
	}
	return false
}

// prepare makes the directory of the file's journal, so that its lock can be made
// there. Where the file's mode has been narrowed, the directory follows at once;
// where it has been widened, in [session.widen].
func (s *Store) prepare(t *target) (access, error) {
	a, err := s.accessFor(t)
	if err != nil {
		return access{}, err
	}
	have, err := s.fs.Lstat(t.dir)
	if errors.Is(err, fs.ErrNotExist) {
		t.dirMode = a.dir.Perm()
		if t.info == nil {
			return a.mkdirForNew(s.fs, t.dir)
		}
		return a, a.mkdir(s.fs, t.dir)
	}
	if err == nil {
		err = s.trustedJournal(t, have)
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

// trustedJournal refuses a journal that somebody else could have put there to make
// the caller write what they choose, or where they choose. In a directory that is
// not sticky whoever may do that could as well replace the file itself.
func (s *Store) trustedJournal(t *target, have fs.FileInfo) error {
	if !have.IsDir() {
		return fmt.Errorf("%s: %w: not a directory", t.dir, ErrUntrusted)
	}
	owner, ok := ownerOf(have)
	if !ok || owner == 0 || owner == os.Geteuid() {
		return nil
	}
	files, err := s.fs.Lstat(filepath.Dir(t.dir))
	if err != nil || files.Mode()&fs.ModeSticky == 0 {
		return err
	}
	meta, err := s.fs.Lstat(t.ws.meta())
	if err != nil {
		return err
	}
	for _, info := range []fs.FileInfo{meta, t.info} {
		if info == nil {
			continue
		}
		if may, _ := ownerOf(info); may == owner {
			return nil
		}
	}
	return fmt.Errorf("%s: %w (uid %d)", t.dir, ErrUntrusted, owner)
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
		a = a.within(accessOfFile(t.like.info), t.info == nil)
	}
	if err == nil && t.most != nil {
		give := dirMode(*t.most) | 0o700
		a.dir &= give | fs.ModeSetgid
		a.file &= give
	}
	return a, err
}

// ownAccess is the file's own, or for one that is not there yet, that of its
// journal's directory or of its own directory.
func (s *Store) ownAccess(t *target) (access, error) {
	if t.info != nil {
		return accessOfFile(t.info), nil
	}
	if have, err := s.fs.Lstat(t.dir); err == nil {
		return accessFor(have.Mode().Perm(), have), nil
	}
	return s.accessOfDir(filepath.Dir(t.real))
}

// openLog opens the journal. The file's exclusive lock is held.
func (s *Store) openLog(t *target, a access) (*wal.Log, error) {
	if name, hashed := escape(t.rel); hashed {
		if err := s.keepPath(t, a); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	meta := t.ws.meta()
	return wal.Open(t.dir, wal.Options{
		FS: s.fs, DirPerm: a.dir, FilePerm: a.file, Boot: s.opt.Boot,
		DirChain: []string{t.dir, filepath.Join(meta, filesDir), meta, t.ws.root},
	})
}

// keepPath keeps the path beside a journal whose name is a hash.
func (s *Store) keepPath(t *target, a access) error {
	name := filepath.Join(t.dir, pathName)
	have, err := fsys.ReadFile(s.fs, name)
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
