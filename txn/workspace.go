package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The names in a workspace's directory. A workspace is placed with its format
// under formatNew, and is active from the rename to formatName on.
const (
	metaDir    = ".jtx"
	formatName = "format"
	formatNew  = "format.new"
	lockName   = "lock"
	filesDir   = "files"
	txDir      = "tx"
	pathName   = "path"
	damagedDir = "damaged"
)

// ErrFormat is returned when a workspace has a format that this program does not
// know. It is left alone.
var ErrFormat = errors.New("unknown workspace format")

// workspace is a directory with an active .jtx.
type workspace struct {
	root string // real path
	name string // of its own directory in root, see Store.metaName
	id   wal.ID
	tree bool // covers what is below root, not only root itself
	from []origin
}

// check refuses what could name a file outside.
func (f *format) check() error {
	for _, from := range f.From {
		if _, err := wal.ParseID(from.ID); err != nil {
			return err
		}
		if !validRel(from.Path) {
			return fmt.Errorf("%q: not a path below a workspace", from.Path)
		}
	}
	return nil
}

func (w *workspace) meta() string { return filepath.Join(w.root, w.name) }

// fileDir is where everything about the file at rel is kept.
func (w *workspace) fileDir(rel string) string {
	name, _ := escape(rel)
	return filepath.Join(w.meta(), filesDir, name)
}

// noFileDir is where no file has its journal: no path is escaped so.
func (w *workspace) noFileDir() string { return filepath.Join(w.meta(), filesDir, "%") }

// lockRequest locks the whole workspace: shared in each transaction, so that
// it can be locked alone to change what it covers.
func (w *workspace) lockRequest(mode lockmgr.Mode, perm fs.FileMode) lockmgr.Request {
	return lockmgr.Request{
		Order: w.id.String() + "\x00", Path: filepath.Join(w.meta(), lockName),
		Mode: mode, Perm: perm, Name: w.root, NoHolder: mode == lockmgr.Shared,
	}
}

// covers tells whether files in dir belong to w, if no nearer one covers them.
func (w *workspace) covers(dir string) bool { return w.tree || w.root == dir }

// findWorkspace walks from dir to the root of the file system for the nearest
// workspace that covers the caller's files in dir. It is nil where there is none. One
// that was placed but not activated is activated first.
func (s *Store) findWorkspace(ctx context.Context, dir string) (*workspace, error) {
	return s.nearest(ctx, dir, dir, lookup{uid: os.Geteuid()})
}

// coveredBy is findWorkspace for a caller that only looks, and activates none.
func (s *Store) coveredBy(ctx context.Context, dir string) (*workspace, error) {
	return s.nearest(ctx, dir, dir, lookup{look: true, uid: os.Geteuid()})
}

// lookup says how a file's workspace is looked for.
type lookup struct {
	create bool // make one where none covers the file
	// made, where it is not nil, is told of each that was made.
	made *[]*workspace
	// held: the caller holds locks. A workspace that is to be activated is errAgain
	// then: activating it waits for locks, perhaps for those of the caller.
	held bool
	// look: the caller only looks. A workspace that is to be activated is looked past,
	// which nobody has used yet, and passed says so: it may be used a moment later.
	look   bool
	passed *bool
	// passOver is the directory of a workspace that is not active yet, and is looked
	// past.
	passOver string
	uid      int // the file's owner
}

// nearest looks from one directory upwards for what covers dir. What is above that
// and is not trusted, or can't be read, covers nothing below it.
func (s *Store) nearest(ctx context.Context, from, dir string, how lookup) (*workspace, error) {
	for at := from; ; at = filepath.Dir(at) {
		w, err := s.readWorkspace(at, how.uid)
		if errors.Is(err, errInactive) {
			w, err = s.readInactive(ctx, at, how)
		}
		if err != nil && (at == dir || !isNoCover(err)) {
			return nil, err
		}
		if w != nil && w.covers(dir) {
			return w, nil
		}
		if at == filepath.Dir(at) {
			return nil, nil
		}
	}
}

// readInactive activates the workspace of dir and reads it, or says why not.
func (s *Store) readInactive(ctx context.Context, dir string, how lookup) (*workspace, error) {
	name, err := s.metaName(dir, how.uid)
	switch {
	case err != nil:
		return nil, err
	case filepath.Join(dir, name) == how.passOver:
		return nil, nil
	case how.look:
		if how.passed != nil {
			*how.passed = true
		}
		return nil, nil
	case how.held:
		return nil, errAgain
	}
	err = s.activate(ctx, filepath.Join(dir, name), how.uid)
	if cannotWrite(err) {
		return nil, nil // a reader who can't write: nobody has used it yet
	}
	if err != nil {
		return nil, err
	}
	return s.readWorkspace(dir, how.uid)
}

var errInactive = errors.New("workspace not active yet")

// readWorkspace reads the workspace whose root is dir, and which is for a user's
// files, nil where there is none.
func (s *Store) readWorkspace(dir string, uid int) (*workspace, error) {
	name, err := s.metaName(dir, uid)
	if err != nil {
		return nil, err
	}
	return s.readNamed(dir, name, uid)
}

func (s *Store) readNamed(dir, name string, uid int) (*workspace, error) {
	meta := filepath.Join(dir, name)
	data, err := s.readFormat(dir, meta, uid)
	if data == nil || err != nil {
		return nil, err
	}
	var f format
	if err := f.decode(data); err != nil {
		return nil, fmt.Errorf("%s: its file %q is %w, so what it covers is not known (%w): bring it back from a copy: %v", meta, formatName, ErrDamaged, ErrFormat, err)
	}
	if err := f.supported(); err != nil {
		return nil, fmt.Errorf("%s: %w", meta, err)
	}
	id, err := wal.ParseID(f.ID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	return &workspace{root: dir, name: name, id: id, tree: f.Tree, from: f.From}, nil
}

// readFormat is nil where there is no workspace, and errInactive where it is not
// active yet. Who made it is looked at before anything in it is. The format is
// looked for twice: between the looks for it and for its inactive name it may have
// been renamed from the one to the other.
func (s *Store) readFormat(dir, meta string, uid int) ([]byte, error) {
	there, err := s.trusted(dir, meta, uid)
	if !there || err != nil {
		return nil, err
	}
	data, err := s.openFormat(meta, formatName)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if _, err := s.fs.Lstat(filepath.Join(meta, formatNew)); err == nil {
		return nil, errInactive
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	data, err = s.openFormat(meta, formatName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.lostFormat(meta)
	}
	return data, err
}

// lostFormat is an error where a workspace has histories, and no format any more.
func (s *Store) lostFormat(meta string) error {
	journals, err := s.fs.ReadDir(filepath.Join(meta, filesDir))
	if err != nil || len(journals) == 0 {
		return ignoreNotExist(err)
	}
	lost := &lostError{meta: meta, journals: len(journals)}
	for _, e := range journals {
		lost.deep = lost.deep || strings.Contains(e.Name(), "%2F") || strings.HasPrefix(e.Name(), "%%")
	}
	return lost
}

// lostError says that a workspace's format is gone, by which its journals are known.
type lostError struct {
	meta     string
	journals int
	deep     bool // some are of files in directories below
}

func (e *lostError) Error() string {
	return fmt.Sprintf("%s: its file %q is gone, though it has the histories of %d files: bring that back from a copy, or move the directory away, and histories begin anew",
		e.meta, formatName, e.journals)
}

func (*lostError) Unwrap() []error { return []error{ErrDamaged, ErrFormat} }

func (s *Store) openFormat(meta, name string) ([]byte, error) {
	f, err := s.fs.OpenFile(filepath.Join(meta, name), os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if errors.Is(err, fsys.ErrPlanted) {
		err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxFormat) {
		return nil, fmt.Errorf("%s: %w: not a small file", meta, ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	return fsys.ReadAll(f)
}

// maxPath bounds the size of a path that is kept beside a journal, in bytes.
const maxPath = 64 << 10

// maxFormat bounds the size of a format file, in bytes.
const maxFormat = 64 << 10

// createWorkspace makes the workspace of dir for a user's files: built whole under
// another name, synced, renamed into place, then activated. Where another process was
// faster, theirs stands, and made is false.
func (s *Store) createWorkspace(ctx context.Context, dir string, uid int, tree bool) (made bool, err error) {
	name, err := s.metaName(dir, uid)
	if err != nil {
		return false, err
	}
	if me := os.Geteuid(); name != metaDir && me > 0 && uid != me {
		// It would be the caller's, and so not be found for files of that user.
		return false, fmt.Errorf("%s: %w: in a sticky directory only the owner of a file (uid %d) begins its history", dir, fs.ErrPermission, uid)
	}
	meta := filepath.Join(dir, name)
	temp, err := s.buildWorkspace(dir, uid, tree)
	if err == nil {
		err = lockmgr.Check(filepath.Join(temp, lockName), dir)
	}
	if err != nil {
		// What can't be removed now either, a sweep removes.
		_ = s.removeBuilt(temp)
		return false, err
	}
	err = s.fs.Rename(temp, meta)
	if made = err == nil; !made {
		if cleanup := s.removeBuilt(temp); cleanup != nil {
			return false, errors.Join(err, cleanup)
		}
		if _, statErr := s.fs.Lstat(meta); statErr != nil {
			return false, err
		}
	}
	return made, s.enterPlaced(ctx, dir, name, uid)
}

// enterPlaced makes sure of the workspace that was placed in dir, and activates it.
func (s *Store) enterPlaced(ctx context.Context, dir, name string, uid int) error {
	if err := fsys.SyncDir(s.fs, dir); err != nil {
		return err
	}
	fsys.Step("workspace.placed")
	meta := filepath.Join(dir, name)
	w, err := s.readNamed(dir, name, uid)
	if err == nil && w == nil {
		err = fmt.Errorf("%s: %w: it has none", meta, ErrFormat)
	}
	if !errors.Is(err, errInactive) {
		return err
	}
	return s.activate(ctx, meta, uid)
}

// buildWorkspace returns the name also where it fails, with some of it built.
func (s *Store) buildWorkspace(dir string, uid int, tree bool) (string, error) {
	temp := filepath.Join(dir, metaDir+"."+wal.NewID().String()+".tmp")
	a, err := s.accessOfDir(dir, uid)
	if err != nil {
		return temp, err
	}
	for _, d := range []string{temp, filepath.Join(temp, filesDir), filepath.Join(temp, txDir)} {
		if err := a.mkdir(s.fs, d); err != nil {
			return temp, err
		}
	}
	f := newFormat(tree)
	files := map[string]string{formatNew: f.text(), ".gitignore": "*\n", lockName: ""}
	for _, name := range []string{".gitignore", lockName, formatNew} {
		own := a
		if name != lockName {
			own.file &^= 0o022 // only its maker changes it
		}
		if err := own.writeFile(s.fs, filepath.Join(temp, name), files[name]); err != nil {
			return temp, err
		}
	}
	return temp, fsys.SyncDir(s.fs, temp)
}

func (s *Store) removeBuilt(temp string) error {
	for _, name := range []string{".gitignore", lockName, formatNew, filesDir, txDir, ""} {
		if err := s.fs.Remove(filepath.Join(temp, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
func (s *Store) activate(ctx context.Context, meta string, uid int) error {
	dir := filepath.Dir(meta)
	if dir == filepath.Dir(dir) {
		return s.finishActivation(meta)
	}
	for range maxRounds {
		far, err := s.nearest(ctx, filepath.Dir(dir), dir, lookup{uid: uid})
		if err != nil {
			return err
		}
		if far == nil {
			return s.finishActivation(meta)
		}
		var damaged map[string]bool
		begun, err := s.tookSome(meta)
		if err == nil && !begun {
			damaged, err = s.settleBelow(ctx, far, meta)
		}
		if err != nil {
			return err
		}
		done, err := s.takeOver(ctx, far, meta, damaged)
		if done || err != nil {
			return err
		}
	}
	return &Error{Kind: ErrConflict, File: dir, Err: errorf("its files were never at rest")}
}

// takeOver activates a placed workspace if all that far has below it is settled
// while nobody is in far's files, but for those that are damaged. Their histories go
// with it.
func (s *Store) takeOver(ctx context.Context, far *workspace, meta string, damaged map[string]bool) (done bool, err error) {
	held, err := s.locks.Acquire(ctx, s.patience(), []lockmgr.Request{far.lockRequest(lockmgr.Exclusive, 0)})
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
			if !damaged[t.real] {
				return false, nil
			}
		}
	}
	if _, err := s.fs.Lstat(filepath.Join(meta, formatNew)); errors.Is(err, fs.ErrNotExist) {
		return true, nil // somebody else has done it
	}
	if err := s.takeAlong(far, meta); err != nil {
		return false, err
	}
	return true, s.finishActivation(meta)
}

func (s *Store) finishActivation(meta string) error {
	err := s.fs.Rename(filepath.Join(meta, formatNew), filepath.Join(meta, formatName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody else has done it
		return err
	}
	fsys.Step("workspace.activated")
	return fsys.SyncDir(s.fs, meta)
}

// Init makes dir the root of a workspace that covers its whole tree. Where there
// is a workspace already it is left, and created is false.
func (s *Store) Init(ctx context.Context, dir string) (root string, created bool, err error) {
	root, err = realDir(s.abs(dir))
	if err != nil {
		return "", false, fail(dir, err)
	}
	uid := os.Geteuid()
	if w, err := s.findAt(ctx, root, uid); err != nil || w != nil {
		return root, false, fail(dir, err)
	}
	if _, err := s.createWorkspace(ctx, root, uid, true); err != nil {
		return root, false, fail(dir, err)
	}
	w, err := s.readWorkspace(root, uid)
	// A first write may have been faster, whose workspace doesn't cover the tree.
	return root, w != nil && w.tree, fail(dir, err)
}

// findAt reads the workspace whose root is dir, activating it if need be.
func (s *Store) findAt(ctx context.Context, dir string, uid int) (*workspace, error) {
	w, err := s.readWorkspace(dir, uid)
	if errors.Is(err, errInactive) {
		return s.readInactive(ctx, dir, lookup{uid: uid})
	}
	return w, err
}
