package admin

import (
	"context"
	"encoding/json"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// Settings are what is set for a workspace, by name.
type Settings struct {
	Root   string // of the workspace, empty where there is none
	Values map[string]json.RawMessage
}

// ReadSettings reads what is set for the workspace that covers the store's directory.
func ReadSettings(ctx context.Context, store *txn.Store) (Settings, error) {
	s := of(store)
	dir, err := workspace.RealDir(s.Dir)
	if err != nil {
		return Settings{}, fault.In(s.Dir, err)
	}
	w, err := s.FindWorkspace(ctx, dir)
	if err != nil || w == nil {
		return Settings{Values: map[string]json.RawMessage{}}, fault.In(s.Dir, err)
	}
	values, err := s.ReadSettings(w.Root)
	return Settings{w.Root, values}, fault.In(s.Dir, err)
}

// ChangeSettings lets fn change what is set for the workspace that covers the
// store's directory, and is made where there is none. Calls exclude each other.
func ChangeSettings(ctx context.Context, store *txn.Store, fn func(root string, values map[string]json.RawMessage) error) error {
	s := of(store)
	return fault.In(s.Dir, s.ChangeSettings(ctx, fn))
}

// SettingIgnore lists patterns of files that are left out wherever jtx looks at all
// files: a sweep, a listing, a backup, the protected ones. A file that is named itself
// is not left out. They are relative to the root of the workspace, and ** in them
// stands for any number of directories.
const SettingIgnore = workspace.SettingIgnore
