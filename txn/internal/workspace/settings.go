package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// settingsName is the file of a workspace's settings, one JSON object. Members that
// this program does not know stay in it.
const settingsName = "config.json"

// maxSettings bounds the size of a file of settings, in bytes.
const maxSettings = 1 << 20

func (s *Site) ChangeSettings(ctx context.Context, fn func(string, map[string]json.RawMessage) error) (err error) {
	dir, err := RealDir(s.Dir)
	if err != nil {
		return err
	}
	w, err := s.WorkspaceFor(ctx, dir)
	if err != nil {
		return err
	}
	a, err := s.AccessOfDir(w.Root, os.Geteuid())
	if err != nil {
		return err
	}
	name := filepath.Join(w.Meta(), settingsName)
	held, err := s.Locks.Acquire(ctx, s.Patience(), []lockmgr.Request{{
		Order: w.ID.String() + "\x00" + settingsName, Path: name + ".lock", Mode: lockmgr.Exclusive, Perm: a.File, Name: name,
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	values, err := s.ReadSettings(w.Root)
	if err != nil {
		return err
	}
	if err := fn(w.Root, values); err != nil {
		return err
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	return s.replaceSettings(name, append(text, '\n'), a)
}

func (s *Site) replaceSettings(name string, text []byte, a Access) error {
	temp := name + "." + wal.NewID().String() + ".tmp"
	err := a.WriteFile(s.FS, temp, string(text))
	if err == nil {
		err = s.FS.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, fault.UnlessMissing(s.FS.Remove(temp)))
	}
	return fsys.SyncDir(s.FS, filepath.Dir(name))
}

// ReadSettings reads the settings of the workspace at root, empty where nothing is
// set. Those that somebody else could have put there are refused.
func (s *Site) ReadSettings(root string) (map[string]json.RawMessage, error) {
	own, err := s.MetaName(root, os.Geteuid())
	if err != nil {
		return nil, err
	}
	meta := filepath.Join(root, own)
	name := filepath.Join(meta, settingsName)
	values := map[string]json.RawMessage{}
	info, err := s.FS.Lstat(name)
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
		return nil, &fault.Error{Kind: fault.ErrInvalid, File: name, Err: fmt.Errorf("is not a small file")}
	}
	data, err := fsys.ReadFile(s.FS, name)
	if errors.Is(err, os.ErrPermission) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(bytes.TrimSpace(data), &values); err != nil {
		return nil, &fault.Error{Kind: fault.ErrInvalid, File: name, Err: err}
	}
	return values, nil
}

// Encode is encoding/json without its HTML escapes.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, &fault.Error{Kind: fault.ErrInvalid, Err: err}
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
