package txn

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
func (s *Store) takeAlong(far *workspace, meta string) error {
	files, err := s.filesFor(far, meta)
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(t *target) bool { // of which there is only a lock
		known, err := s.tracked(t)
		return err == nil && !known
	})
	prefix, err := filepath.Rel(far.root, filepath.Dir(meta))
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
		name, _ := escape(strings.TrimPrefix(t.rel, prefix+"/"))
		err := s.fs.Rename(t.dir, filepath.Join(meta, filesDir, name))
		if errors.Is(err, syscall.EXDEV) {
			err = errorf("its history can't be taken along from %s to another file system: forget it there first", far.root)
		}
		if err != nil {
			return fail(t.real, err)
		}
		fsys.Step("workspace.took")
	}
	if err := s.renamePaths(meta, prefix); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Join(meta, filesDir), filepath.Join(far.meta(), filesDir)} {
		if err := fsys.SyncDir(s.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

// tookSome tells that a workspace which is not active has histories: those of a farther
// one, of which more are to come.
func (s *Store) tookSome(meta string) (bool, error) {
	entries, err := s.fs.ReadDir(filepath.Join(meta, filesDir))
	return len(entries) > 0, ignoreNotExist(err)
}

// noteOrigin writes down, before anything is moved, where histories come from.
func (s *Store) noteOrigin(far *workspace, meta, prefix string) error {
	data, err := s.openFormat(meta, formatNew)
	if err != nil {
		return err
	}
	var f format
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("%s: %w: %v", meta, ErrFormat, err)
	}
	from := append([]origin{{far.id.String(), prefix}}, far.from...)
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
	info, err := s.fs.Lstat(name)
	if err != nil {
		return err
	}
	if err := fsys.WriteFileAtomic(s.fs, name, append(text, '\n'), info.Mode().Perm()); err != nil {
		return err
	}
	return fsys.SyncDir(s.fs, meta)
}

// renamePaths mends the paths that are kept beside journals whose names are hashes.
func (s *Store) renamePaths(meta, prefix string) error {
	entries, err := s.fs.ReadDir(filepath.Join(meta, filesDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(meta, filesDir, e.Name(), pathName)
		kept, err := fsys.ReadAtMost(s.fs, name, maxPath)
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
			err = s.fs.Remove(name)
		default:
			var info fs.FileInfo
			if info, err = s.fs.Lstat(name); err == nil {
				err = fsys.WriteFileAtomic(s.fs, name, []byte(rel), info.Mode().Perm())
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isParticipant tells whether a record means this file, by its name now or by that from
// before its workspace had its history.
func (t *target) isParticipant(p wal.Participant) bool {
	key := recovery.Key{Workspace: p.Workspace, Path: p.Path}
	return key == t.key() || slices.Contains(t.formerKeys(), key)
}

func (t *target) formerKeys() []recovery.Key {
	var keys []recovery.Key
	for _, from := range t.ws.from {
		id, err := wal.ParseID(from.ID)
		if err == nil { // as was looked at when the format was read
			keys = append(keys, recovery.Key{Workspace: id, Path: path.Join(from.Path, t.rel)})
		}
	}
	return keys
}

// rootOf is where the root of a workspace should be by what is known of this one: itself,
// or one that had its histories before; "" where nothing is known.
func (w *workspace) rootOf(id wal.ID) string {
	if w.id == id {
		return w.root
	}
	for _, from := range w.from {
		if from.ID != id.String() {
			continue
		}
		if root, ok := strings.CutSuffix(w.root, string(filepath.Separator)+filepath.FromSlash(from.Path)); ok {
			return root
		}
	}
	return ""
}
