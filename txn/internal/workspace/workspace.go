package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The names in a workspace's directory. A workspace is placed with its format
// under formatNew, and is active from the rename to formatName on.
const (
	MetaDir    = ".jtx"
	formatName = "format"
	formatNew  = "format.new"
	LockName   = "lock"
	FilesDir   = "files"
	TxDir      = "tx"
	pathName   = "path"
	DamagedDir = "damaged"
)

// ErrFormat is returned when a workspace has a format that this program does not
// know. It is left alone.
var ErrFormat = errors.New("unknown workspace format")

// Workspace is a directory with an active .jtx.
type Workspace struct {
	Root string // real path
	name string // of its own directory in root, see [Site.MetaName]
	ID   wal.ID
	Tree bool // covers what is below root, not only root itself
	from []origin
}

// check refuses what could name a file outside.
func (f *Format) check() error {
	for _, from := range f.From {
		if _, err := wal.ParseID(from.ID); err != nil {
			return err
		}
		if !ValidRel(from.Path) {
			return fmt.Errorf("%q: not a path below a workspace", from.Path)
		}
	}
	return nil
}

func (w *Workspace) Meta() string { return filepath.Join(w.Root, w.name) }

// FileDir is where everything about the file at rel is kept.
func (w *Workspace) FileDir(rel string) string {
	name, _ := escape(rel)
	return filepath.Join(w.Meta(), FilesDir, name)
}

// noFileDir is where no file has its journal: no path is escaped so.
func (w *Workspace) noFileDir() string { return filepath.Join(w.Meta(), FilesDir, "%") }

// LockRequest locks the whole workspace: shared in each transaction, so that
// it can be locked alone to change what it covers.
func (w *Workspace) LockRequest(mode lockmgr.Mode, perm fs.FileMode) lockmgr.Request {
	return lockmgr.Request{
		Order: w.ID.String() + "\x00", Path: filepath.Join(w.Meta(), LockName),
		Mode: mode, Perm: perm, Name: w.Root, NoHolder: mode == lockmgr.Shared,
	}
}

// covers tells whether files in dir belong to w, if no nearer one covers them.
func (w *Workspace) covers(dir string) bool { return w.Tree || w.Root == dir }

// readWorkspace reads the workspace whose root is dir, and which is for a user's
// files, nil where there is none.
func (s *Site) readWorkspace(dir string, uid int) (*Workspace, error) {
	name, err := s.MetaName(dir, uid)
	if err != nil {
		return nil, err
	}
	return s.readNamed(dir, name, uid)
}

func (s *Site) readNamed(dir, name string, uid int) (*Workspace, error) {
	meta := filepath.Join(dir, name)
	data, err := s.readFormat(dir, meta, uid)
	if data == nil || err != nil {
		return nil, err
	}
	var f Format
	if err := f.Decode(data); err != nil {
		return nil, fmt.Errorf("%s: its file %q is %w, so what it covers is not known (%w): bring it back from a copy: %v", meta, formatName, fault.ErrDamaged, ErrFormat, err)
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
	return &Workspace{Root: dir, name: name, ID: id, Tree: f.Tree, from: f.From}, nil
}

// readFormat is nil where there is no workspace, and errInactive where it is not
// active yet. Who made it is looked at before anything in it is. The format is
// looked for twice: between the looks for it and for its inactive name it may have
// been renamed from the one to the other.
func (s *Site) readFormat(dir, meta string, uid int) ([]byte, error) {
	there, err := s.trusted(dir, meta, uid)
	if !there || err != nil {
		return nil, err
	}
	data, err := s.openFormat(meta, formatName)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if _, err := s.FS.Lstat(filepath.Join(meta, formatNew)); err == nil {
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

// formatFile is the format as messages call it.
const formatFile = `file "` + formatName + `"`

// lostFormat is an error where a workspace has histories, and no format any more.
func (s *Site) lostFormat(meta string) error {
	journals, err := s.FS.ReadDir(filepath.Join(meta, FilesDir))
	if err != nil || len(journals) == 0 {
		return fault.UnlessMissing(err)
	}
	lost := &lostError{meta: meta, what: formatFile, extent: ", though it still has histories"}
	for _, e := range journals {
		lost.deep = lost.deep || strings.Contains(e.Name(), "%2F") || strings.HasPrefix(e.Name(), "%%")
	}
	return lost
}

// lostError says that a workspace's format is gone, by which its journals are known, or
// that these are.
type lostError struct {
	meta, what string // what is gone
	extent     string // how much that means
	deep       bool   // some are of files in directories below
}

func (e *lostError) Error() string {
	return fmt.Sprintf("%s: its %s is gone%s: bring that back from a copy, or move the directory away, and histories begin anew", e.meta, e.what, e.extent)
}

func (*lostError) Unwrap() []error { return []error{fault.ErrDamaged, ErrFormat} }

// LostFiles is an error where a workspace is there, and its directory of histories is not.
func (s *Site) LostFiles(w *Workspace) error {
	for _, name := range []string{FilesDir, formatName, FilesDir} { // it may be about to be removed, or made anew
		_, err := s.FS.Lstat(filepath.Join(w.Meta(), name))
		if errors.Is(err, fs.ErrNotExist) != (name == FilesDir) {
			return nil
		}
	}
	return &lostError{meta: w.Meta(), what: `directory "` + FilesDir + `"`, extent: ", and with it all histories"}
}

func (s *Site) openFormat(meta, name string) ([]byte, error) {
	f, err := s.FS.OpenFile(filepath.Join(meta, name), os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
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

// MakeRoot makes dir the root of a workspace that covers its whole tree. Where there
// is a workspace already it is left, and created is false.
func (s *Site) MakeRoot(ctx context.Context, dir string) (root string, created bool, err error) {
	root, err = RealDir(s.Abs(dir))
	if err != nil {
		return "", false, fault.In(dir, err)
	}
	uid := os.Geteuid()
	if w, err := s.FindAt(ctx, root, uid); err != nil || w != nil {
		return root, false, fault.In(dir, err)
	}
	if _, err := s.createWorkspace(ctx, root, Lookup{uid: uid}, true); err != nil {
		return root, false, fault.In(dir, err)
	}
	w, err := s.readWorkspace(root, uid)
	// A first write may have been faster, whose workspace doesn't cover the tree.
	return root, w != nil && w.Tree, fault.In(dir, err)
}
