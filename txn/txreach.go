package txn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// root is the directory of the workspace that keeps the transaction, "" where the
// user's state directory does.
func (t *OpenTx) root() string {
	home := filepath.Dir(t.dir)
	if meta := filepath.Dir(home); filepath.Base(home) == workspace.TxDir && fsys.IsMeta(filepath.Base(meta)) {
		return filepath.Dir(meta)
	}
	return ""
}

// kept is the name by which tx.json knows a file: relative to the workspace, so that
// a moved workspace keeps its transactions and a copy has its own; absolute outside.
func (t *OpenTx) kept(name backup.Path) backup.Path {
	root := t.root()
	if root == "" {
		return name
	}
	at := string(name)
	if dir, err := workspace.RealDir(filepath.Dir(at)); err == nil {
		at = filepath.Join(dir, filepath.Base(at))
	}
	if real, err := workspace.RealPath(t.s.src.FS, at); err == nil && !workspace.Below(at, root) {
		at = real
	}
	if rel, err := filepath.Rel(root, at); err == nil && filepath.IsLocal(rel) {
		return backup.Path(filepath.ToSlash(rel))
	}
	return name
}

// named is the inverse of kept.
func (t *OpenTx) named(kept backup.Path) (backup.Path, error) {
	switch root := t.root(); {
	case filepath.IsAbs(string(kept)):
		return kept, nil
	case root != "" && workspace.ValidRel(string(kept)):
		return backup.Path(filepath.Join(root, filepath.FromSlash(string(kept)))), nil
	default:
		return "", errors.New("a file without its path")
	}
}

// reach fails where the transaction has a file outside its workspace, unless this
// user began it here: what stands below .jtx may be of a copy, or somebody else's.
func (t *OpenTx) reach() error {
	for _, f := range t.data.Files {
		if t.isInside(f) || t.begunHere() {
			continue
		}
		return &Error{Kind: ErrInvalid, File: string(f.File), Err: fmt.Errorf("is outside of %s, where transaction %s is kept, and it was not begun there: "+
			"a copy of a transaction, or one that was moved, changes nothing outside", t.root(), t.data.ID)}
	}
	return nil
}

// isInside tells whether a file is in the workspace that keeps the transaction, or is the
// user's own word.
func (t *OpenTx) isInside(f *txFile) bool {
	root := t.root()
	if root == "" {
		return true
	}
	real, err := workspace.RealPath(t.s.src.FS, string(f.File))
	return err == nil && workspace.Below(real, root)
}

// begunHere tells that this user's state directory names the transaction as this one.
func (t *OpenTx) begunHere() bool {
	home, err := userTxDir()
	if err != nil {
		return false
	}
	link := filepath.Join(home, t.data.ID)
	aim, err := fsys.EvalSymlinks(link)
	if err != nil {
		return false
	}
	own, err := fsys.EvalSymlinks(t.dir)
	return err == nil && aim == own
}

// link makes a pointer to the transaction in the user's state directory, so that it
// is found from any directory, and known as begun by this user.
func (t *OpenTx) link() error {
	home, err := userTxDir()
	if err != nil || home == filepath.Dir(t.dir) {
		return err
	}
	if err := os.MkdirAll(home, txDirMode); err != nil {
		return err
	}
	link := filepath.Join(home, t.data.ID)
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(t.dir, link)
}

func (t *OpenTx) unlink() error {
	home, err := userTxDir()
	if err != nil || home == filepath.Dir(t.dir) {
		//lint:ignore nilerr a user without a home has no such directory
		return nil
	}
	link := filepath.Join(home, t.data.ID)
	// A copy leaves the pointer to the transaction that it is a copy of.
	if _, err := os.Stat(link); err == nil && !t.begunHere() {
		return nil
	}
	return fault.UnlessMissing(os.Remove(link))
}

// mayJoin refuses a file outside of the workspace where it could not be told later
// that the user named it.
func (t *OpenTx) mayJoin(abs string) error {
	f := &txFile{File: backup.Path(abs)}
	if t.isInside(f) || t.begunHere() {
		return nil
	}
	err := t.reach() // a pointer would vouch for what is there already
	if err == nil {
		err = t.link()
	}
	if err != nil {
		return fault.In(abs, fmt.Errorf("is outside of %s, where transaction %s is kept: %v", t.root(), t.data.ID, err))
	}
	return nil
}

// isTxName tells whether jtx may have made a directory or pointer of that name.
func isTxName(name string) bool {
	id, err := wal.ParseID(name)
	return err == nil && id.String() == name
}

// linkedTxs are the transactions of this user that are kept in workspaces elsewhere.
func (s *Store) linkedTxs() ([]*OpenTx, error) {
	home, err := userTxDir()
	if err != nil {
		//lint:ignore nilerr a user without a home has no such directory
		return nil, nil
	}
	entries, err := s.src.FS.ReadDir(home)
	if err != nil {
		return nil, fault.UnlessMissing(err)
	}
	var list []*OpenTx
	for _, e := range entries {
		if !isTxName(e.Name()) || e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		dir, err := fsys.EvalSymlinks(filepath.Join(home, e.Name()))
		if err != nil {
			continue // it leads nowhere any more
		}
		t := &OpenTx{s: s, dir: dir}
		if err := t.load(); err == nil || t.damage != nil {
			list = append(list, t)
		}
	}
	return list, nil
}
