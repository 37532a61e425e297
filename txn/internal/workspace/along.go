package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// origin is a workspace that had histories of this one before. Records from then name
// its files by their paths below that one's root.
type origin struct {
	ID   string `json:"id"`
	Path string `json:"path"` // of this root below that one's, slash separated
}

// takeAlong moves the histories of a farther workspace, that are of files which a placed
// one is for, to that. Nobody is in the farther one, and all of them are settled. Cut off
// anywhere it is done to the end by whoever activates the workspace: nothing was written
// to what is left, since everybody waits for that.
func (s *Site) takeAlong(far *Workspace, meta string) error {
	files, err := s.filesFor(far, meta)
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(t *Target) bool { // of which there is only a lock
		known, err := s.Tracked(t)
		return err == nil && !known
	})
	prefix, err := filepath.Rel(far.Root, filepath.Dir(meta))
	if err != nil {
		return err
	}
	prefix = filepath.ToSlash(prefix)
	if len(files) > 0 {
		if err := s.noteOrigin(far, meta, prefix); err != nil {
			return err
		}
	}
	for _, t := range files {
		name, _ := escape(strings.TrimPrefix(t.Rel, prefix+"/"))
		err := s.FS.Rename(t.Dir, filepath.Join(meta, FilesDir, name))
		if errors.Is(err, syscall.EXDEV) {
			err = fmt.Errorf("its history can't be taken along from %s to another file system: forget it there first", far.Root)
		}
		if err != nil {
			return fault.In(t.Real, err)
		}
		fsys.Step("workspace.took")
	}
	if err := s.renamePaths(meta, prefix); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(meta, FilesDir), filepath.Join(far.Meta(), FilesDir)} {
		if err := fsys.SyncDir(s.FS, dir); err != nil {
			return err
		}
	}
	return nil
}

// tookSome tells that a workspace which is not active has histories: those of a farther
// one, of which more are to come.
func (s *Site) tookSome(meta string) (bool, error) {
	entries, err := s.FS.ReadDir(filepath.Join(meta, FilesDir))
	return len(entries) > 0, fault.UnlessMissing(err)
}

// noteOrigin writes down, before anything is moved, where histories come from.
func (s *Site) noteOrigin(far *Workspace, meta, prefix string) error {
	data, err := s.openFormat(meta, formatNew)
	if err != nil {
		return err
	}
	var f Format
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	from := append([]origin{{far.ID.String(), prefix}}, far.from...)
	for i := range from[1:] {
		from[i+1].Path = path.Join(from[i+1].Path, prefix)
	}
	if slices.Equal(f.From, from) {
		return nil
	}
	f.From = from
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	name := filepath.Join(meta, formatNew)
	info, err := s.FS.Lstat(name)
	if err != nil {
		return err
	}
	if err := fsys.WriteFileAtomic(s.FS, name, append(text, '\n'), info.Mode().Perm()); err != nil {
		return err
	}
	return fsys.SyncDir(s.FS, meta)
}

// renamePaths mends the paths that are kept beside journals whose names are hashes.
func (s *Site) renamePaths(meta, prefix string) error {
	entries, err := s.FS.ReadDir(filepath.Join(meta, FilesDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(meta, FilesDir, e.Name(), pathName)
		kept, err := fsys.ReadAtMost(s.FS, name, maxPath)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(string(kept), prefix+"/")
		escaped, hashed := escape(rel)
		switch {
		case escaped != e.Name(): // it is right already
		case !hashed:
			err = s.FS.Remove(name)
		default:
			var info fs.FileInfo
			if info, err = s.FS.Lstat(name); err == nil {
				err = fsys.WriteFileAtomic(s.FS, name, []byte(rel), info.Mode().Perm())
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// IsParticipant tells whether a record means this file, by its name now or by that from
// before its workspace had its history.
func (t *Target) IsParticipant(p wal.Participant) bool {
	key := recovery.Key{Workspace: p.Workspace, Path: p.Path}
	return key == t.Key() || slices.Contains(t.FormerKeys(), key)
}

func (t *Target) FormerKeys() []recovery.Key {
	var keys []recovery.Key
	for _, from := range t.WS.from {
		id, err := wal.ParseID(from.ID)
		if err == nil { // as was looked at when the format was read
			keys = append(keys, recovery.Key{Workspace: id, Path: path.Join(from.Path, t.Rel)})
		}
	}
	return keys
}

// RootOf is where the root of a workspace should be by what is known of this one: itself,
// or one that had its histories before; "" where nothing is known.
func (w *Workspace) RootOf(id wal.ID) string {
	if w.ID == id {
		return w.Root
	}
	for _, from := range w.from {
		if from.ID != id.String() {
			continue
		}
		if root, ok := strings.CutSuffix(w.Root, string(filepath.Separator)+filepath.FromSlash(from.Path)); ok {
			return root
		}
	}
	return ""
}

// NameOf is where a unit's other file was when the unit was committed,
// or is now if it is in the same
func (t *Target) NameOf(p wal.Participant) string {
	root := t.WS.RootOf(p.Workspace)
	if root == "" {
		root = p.Root
	}
	return filepath.Join(root, filepath.FromSlash(p.Path))
}
