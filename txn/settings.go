package txn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// settingsName is the file of a workspace's settings, one JSON object. Members that
// this program does not know stay in it.
const settingsName = "config.json"

// maxSettings bounds the size of a file of settings, in bytes.
const maxSettings = 1 << 20

// Settings are what is set for a workspace, by name.
type Settings struct {
	Root   string // of the workspace, empty where there is none
	Values map[string]json.RawMessage
}

// Settings reads what is set for the workspace that covers the store's directory.
func (s *Store) Settings(ctx context.Context) (Settings, error) {
	dir, err := realDir(s.dir)
	if err != nil {
		return Settings{}, fail(s.dir, err)
	}
	w, err := s.findWorkspace(ctx, dir)
	if err != nil || w == nil {
		return Settings{Values: map[string]json.RawMessage{}}, fail(s.dir, err)
	}
	values, err := s.readSettings(w.root)
	return Settings{w.root, values}, fail(s.dir, err)
}

// ChangeSettings lets fn change what is set for the workspace that covers the
// store's directory, and is made where there is none. Calls exclude each other.
func (s *Store) ChangeSettings(ctx context.Context, fn func(root string, values map[string]json.RawMessage) error) error {
	return fail(s.dir, s.changeSettings(ctx, fn))
}

func (s *Store) changeSettings(ctx context.Context, fn func(string, map[string]json.RawMessage) error) (err error) {
	dir, err := realDir(s.dir)
	if err != nil {
		return err
	}
	w, err := s.workspaceFor(ctx, dir)
	if err != nil {
		return err
	}
	a, err := s.accessOfDir(w.root, os.Geteuid())
	if err != nil {
		return err
	}
	name := filepath.Join(w.meta(), settingsName)
	held, err := s.locks.Acquire(ctx, s.patience(), []lockmgr.Request{{
		Order: w.id.String() + "\x00" + settingsName, Path: name + ".lock", Mode: lockmgr.Exclusive, Perm: a.file, Name: name,
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	values, err := s.readSettings(w.root)
	if err != nil {
		return err
	}
	if err := fn(w.root, values); err != nil {
		return err
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	return s.replaceSettings(name, append(text, '\n'), a)
}

// workspaceFor is the workspace that covers dir, made where there is none.
func (s *Store) workspaceFor(ctx context.Context, dir string) (*workspace, error) {
	w, err := s.findWorkspace(ctx, dir)
	if err != nil || w != nil {
		return w, err
	}
	if _, err := s.createWorkspace(ctx, dir, os.Geteuid(), false); err != nil {
		return nil, err
	}
	w, err = s.findWorkspace(ctx, dir)
	if err == nil && w == nil {
		err = fmt.Errorf("%s: its workspace was removed as it was made", dir)
	}
	return w, err
}

func (s *Store) replaceSettings(name string, text []byte, a access) error {
	temp := name + "." + wal.NewID().String() + ".tmp"
	err := a.writeFile(s.fs, temp, string(text))
	if err == nil {
		err = s.fs.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(s.fs.Remove(temp)))
	}
	return fsys.SyncDir(s.fs, filepath.Dir(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readSettings reads the settings of the workspace at root, empty where nothing is
// set. Those that somebody else could have put there are refused.
func (s *Store) readSettings(root string) (map[string]json.RawMessage, error) {
	own, err := s.metaName(root, os.Geteuid())
	if err != nil {
		return nil, err
	}
	meta := filepath.Join(root, own)
	name := filepath.Join(meta, settingsName)
	values := map[string]json.RawMessage{}
	info, err := s.fs.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.trusted(root, meta, os.Geteuid()); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSettings {
		return nil, &Error{Kind: ErrInvalid, File: name, Err: errorf("is not a small file")}
	}
	data, err := fsys.ReadFile(s.fs, name)
	if errors.Is(err, os.ErrPermission) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(bytes.TrimSpace(data), &values); err != nil {
		return nil, &Error{Kind: ErrInvalid, File: name, Err: err}
	}
	return values, nil
}

// editorPause is how long a file that is empty or cut short is given: editors
// truncate, then write.
const editorPause = 100 * time.Millisecond
