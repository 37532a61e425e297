package txn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
)

const formatVersion = 1

// isMetaName tells whether a directory of that name is a workspace's own.
func isMetaName(name string) bool { return name == metaDir }

// ErrFormat is returned when a workspace has a format that this program does not
// know. It is left alone.
var ErrFormat = errors.New("unknown workspace format")

// ErrUntrusted is returned when a .jtx directory belongs to neither the caller,
// root, nor the owner of the directory that it is in.
var ErrUntrusted = errors.New("belongs to somebody else")

// workspace is a directory with an active .jtx.
type workspace struct {
	root string // real path
	id   wal.ID
	tree bool // covers what is below root, not only root itself
}

// format is the content of .jtx/format.
type format struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	Tree   bool   `json:"tree"`
}

func (w *workspace) meta() string { return filepath.Join(w.root, metaDir) }

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
// workspace that covers dir. It is nil where there is none. One that was placed
// but not activated is activated first.
func (s *Store) findWorkspace(ctx context.Context, dir string) (*workspace, error) {
	return s.nearest(ctx, dir, dir, lookup{})
}

// lookup says how a file's workspace is looked for.
type lookup struct {
	create bool // make one where none covers the file
	// held: the caller holds locks. A workspace that is to be activated is errAgain
	// then: activating it waits for locks, perhaps for those of the caller.
	held bool
	// passOver is a directory whose workspace is not active yet, and is looked past.
	passOver string
}

func (s *Store) nearest(ctx context.Context, from, dir string, how lookup) (*workspace, error) {
	for at := from; ; at = filepath.Dir(at) {
		w, err := s.readWorkspace(at)
		if errors.Is(err, errInactive) {
			w, err = s.readInactive(ctx, at, how)
		}
		if err != nil {
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
	switch {
	case dir == how.passOver:
		return nil, nil
	case how.held:
		return nil, errAgain
	}
	err := s.activate(ctx, dir)
	if cannotWrite(err) {
		return nil, nil // a reader who can't write: nobody has used it yet
	}
	if err != nil {
		return nil, err
	}
	return s.readWorkspace(dir)
}

var errInactive = errors.New("workspace not active yet")

// readWorkspace reads the workspace whose root is dir, nil where there is none.
func (s *Store) readWorkspace(dir string) (*workspace, error) {
	meta := filepath.Join(dir, metaDir)
	data, err := s.readFormat(dir, meta)
	if data == nil || err != nil {
		return nil, err
	}
	var f format
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	if f.Format != formatVersion {
		return nil, fmt.Errorf("%s: %w %d, this program knows %d", meta, ErrFormat, f.Format, formatVersion)
	}
	id, err := wal.ParseID(f.ID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	return &workspace{root: dir, id: id, tree: f.Tree}, nil
}

// readFormat is nil where there is no workspace, and errInactive where it is not
// active yet. Who made it is looked at before anything in it is. The format is
// looked for twice: between the looks for it and for its inactive name it may have
// been renamed from the one to the other.
func (s *Store) readFormat(dir, meta string) ([]byte, error) {
	there, err := s.trusted(dir, meta)
	if !there || err != nil {
		return nil, err
	}
	data, err := s.openFormat(meta)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if _, err := s.fs.Lstat(filepath.Join(meta, formatNew)); err == nil {
		return nil, errInactive
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	data, err = s.openFormat(meta)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s *Store) openFormat(meta string) ([]byte, error) {
	f, err := s.fs.OpenFile(filepath.Join(meta, formatName), os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
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

// maxFormat bounds the size of a format file, in bytes.
const maxFormat = 64 << 10

// trusted refuses a .jtx that somebody else could have put there to make the
// caller read or write what they choose. It is false where there is none.
func (s *Store) trusted(dir, meta string) (there bool, err error) {
	info, err := s.fs.Lstat(meta)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return false, fmt.Errorf("%s: not a directory", meta)
	}
	owner, ok := ownerOf(info)
	if !ok || owner == 0 || owner == os.Geteuid() {
		return true, nil
	}
	parent, err := s.fs.Lstat(dir)
	if err != nil {
		return false, err
	}
	if dirOwner, _ := ownerOf(parent); dirOwner == owner {
		return true, nil
	}
	return false, fmt.Errorf("%s: %w (uid %d)", meta, ErrUntrusted, owner)
}

// createWorkspace makes the workspace of dir: built whole under another name,
// synced, renamed into place, then activated. Where another process was faster,
// theirs stands.
func (s *Store) createWorkspace(ctx context.Context, dir string, tree bool) error {
	temp, err := s.buildWorkspace(dir, tree)
	if err == nil {
		err = lockmgr.Check(filepath.Join(temp, lockName), dir)
	}
	if err != nil {
		// What can't be removed now either, a sweep removes.
		_ = s.removeBuilt(temp)
		return err
	}
	err = s.fs.Rename(temp, filepath.Join(dir, metaDir))
	if err != nil {
		if cleanup := s.removeBuilt(temp); cleanup != nil {
			return errors.Join(err, cleanup)
		}
		if _, statErr := s.fs.Lstat(filepath.Join(dir, metaDir)); statErr != nil {
			return err
		}
	}
	if err := fsys.SyncDir(s.fs, dir); err != nil {
		return err
	}
	fsys.Step("workspace.placed")
	w, err := s.readWorkspace(dir)
	if err == nil && w == nil {
		err = fmt.Errorf("%s: %w: it has none", filepath.Join(dir, metaDir), ErrFormat)
	}
	if !errors.Is(err, errInactive) {
		return err
	}
	return s.activate(ctx, dir)
}

// buildWorkspace returns the name also where it fails, with some of it built.
func (s *Store) buildWorkspace(dir string, tree bool) (string, error) {
	temp := filepath.Join(dir, metaDir+"."+wal.NewID().String()+".tmp")
	a, err := s.accessOfDir(dir)
	if err != nil {
		return temp, err
	}
	for _, d := range []string{temp, filepath.Join(temp, filesDir), filepath.Join(temp, txDir)} {
		if err := a.mkdir(s.fs, d); err != nil {
			return temp, err
		}
	}
	text, err := json.Marshal(format{formatVersion, wal.NewID().String(), tree})
	if err != nil {
		return temp, err
	}
	files := map[string]string{formatNew: string(text) + "\n", ".gitignore": "*\n", lockName: ""}
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
func (s *Store) activate(ctx context.Context, dir string) error {
	if dir == filepath.Dir(dir) {
		return s.finishActivation(dir)
	}
	for range maxRounds {
		far, err := s.nearest(ctx, filepath.Dir(dir), dir, lookup{})
		if err != nil {
			return err
		}
		if far == nil {
			return s.finishActivation(dir)
		}
		damaged, err := s.settleBelow(ctx, far, dir)
		if err != nil {
			return err
		}
		done, err := s.takeOver(ctx, far, dir, damaged)
		if done || err != nil {
			return err
		}
	}
	return &Error{Kind: ErrConflict, File: dir, Err: errorf("its files were never at rest")}
}

// takeOver activates the workspace of dir if all that far has below it is settled
// while nobody is in far's files, but for those that are damaged.
func (s *Store) takeOver(ctx context.Context, far *workspace, dir string, damaged map[string]bool) (done bool, err error) {
	held, err := s.locks.Acquire(ctx, s.patience(), []lockmgr.Request{far.lockRequest(lockmgr.Exclusive, 0)})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	open, err := s.unsettledBelow(far, dir)
	if err != nil {
		return false, err
	}
	for _, t := range open {
		if !damaged[t.real] {
			return false, nil
		}
	}
	return true, s.finishActivation(dir)
}

func (s *Store) finishActivation(dir string) error {
	meta := filepath.Join(dir, metaDir)
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
	if w, err := s.findAt(ctx, root); err != nil || w != nil {
		return root, false, fail(dir, err)
	}
	if err := s.createWorkspace(ctx, root, true); err != nil {
		return root, false, fail(dir, err)
	}
	w, err := s.readWorkspace(root)
	// A first write may have been faster, whose workspace doesn't cover the tree.
	return root, w != nil && w.tree, fail(dir, err)
}

// findAt reads the workspace whose root is dir, activating it if need be.
func (s *Store) findAt(ctx context.Context, dir string) (*workspace, error) {
	w, err := s.readWorkspace(dir)
	if errors.Is(err, errInactive) {
		if err := s.activate(ctx, dir); err != nil {
			return nil, err
		}
		return s.readWorkspace(dir)
	}
	return w, err
}
