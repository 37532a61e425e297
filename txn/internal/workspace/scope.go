package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal/fsys"
)

// filesFor lists the files of w that are below another workspace, and for it.
func (s *Site) filesFor(w *Workspace, meta string) ([]*Target, error) {
	files, err := s.TrackedFiles(w)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(meta)
	var list []*Target
	for _, t := range files {
		if !Below(t.Real, dir) {
			continue
		}
		info, _ := s.FS.Lstat(t.Real) // of what can't be looked at it is the caller's
		name, err := s.MetaName(dir, s.UserOf(info))
		if err != nil {
			return nil, err
		}
		if name == filepath.Base(meta) {
			list = append(list, t)
		}
	}
	return list, nil
}

// Scope is what some paths cover.
type Scope struct {
	Under      []string // the paths themselves, real ones
	Workspaces []*Workspace
	Files      []*Target // by real path
	Never      []*Target // only locked, by somebody who then did not make them
	skipped    []error   // of workspaces and files that can't be used
	homes      map[home]covering
}

// home is a directory and the owner of files in it, which are covered by one workspace.
type home struct {
	dir string
	uid int
}

type covering struct {
	w   *Workspace
	err error
}

// Scope is ScopeBeside for those that have nothing to return beside an error.
func (s *Site) Scope(ctx context.Context, paths []string) (*Scope, error) {
	sc, skipped, err := s.ScopeBeside(ctx, paths)
	return sc, errors.Join(err, skipped)
}

// ScopeBeside finds the workspaces at, above and below the paths, and the tracked files
// that are at or below them. What can't be used of these is skipped: that is told, or
// returned where there is nobody to tell.
func (s *Site) ScopeBeside(ctx context.Context, paths []string) (_ *Scope, skipped, err error) {
	sc, err := s.findScope(ctx, paths, true)
	return s.tellSkipped(sc, err)
}

func (s *Site) tellSkipped(sc *Scope, failed error) (_ *Scope, skipped, err error) {
	if failed != nil {
		return nil, nil, failed
	}
	if s.OnSkipped == nil {
		return sc, fault.Joined(sc.skipped), nil
	}
	for _, err := range sc.skipped {
		s.OnSkipped(err)
	}
	return sc, nil, nil
}

// WorkspacesBeside is ScopeBeside without the files: it costs no more where there are many.
func (s *Site) WorkspacesBeside(ctx context.Context, paths []string) (_ *Scope, skipped, err error) {
	sc, err := s.findScope(ctx, paths, false)
	return s.tellSkipped(sc, err)
}

func (s *Site) findScope(ctx context.Context, paths []string, files bool) (*Scope, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	sc := &Scope{}
	seen := map[string]bool{}
	for _, p := range paths {
		real, err := RealPath(s.FS, s.Abs(p))
		if err != nil {
			return nil, fault.In(p, err)
		}
		sc.Under = append(sc.Under, real)
		roots, err := sc.workspacesAround(ctx, s, real)
		if err != nil {
			return nil, fault.In(p, err)
		}
		for _, w := range roots {
			if !seen[w.Meta()] {
				seen[w.Meta()] = true
				sc.Workspaces = append(sc.Workspaces, w)
			}
			if files {
				sc.addFiles(ctx, s, w, real)
			}
		}
	}
	slices.SortFunc(sc.Files, func(a, b *Target) int { return strings.Compare(a.Real, b.Real) })
	sc.Files = slices.CompactFunc(sc.Files, func(a, b *Target) bool { return a.Real == b.Real && a.WS.Meta() == b.WS.Meta() })
	return sc, nil
}

func (sc *Scope) addFiles(ctx context.Context, s *Site, w *Workspace, under string) {
	files, err := s.trackedBelow(w, under)
	if err != nil {
		sc.skip(w.Meta(), err)
	}
	ignored, err := s.ignored(w)
	if err != nil {
		ignored = Protection{} // said by what reads the settings; here nothing is left out
	}
	for _, t := range files {
		if !Below(t.Real, under) || ignored.leavesOut(t.Real, under) {
			continue
		}
		info, err := s.FS.Lstat(t.Real)
		if errors.Is(err, fs.ErrNotExist) && s.neverWas(t) {
			sc.Never = append(sc.Never, t)
			continue
		}
		near, err := sc.homeOf(ctx, s, t, s.UserOf(info)) // of what can't be looked at it is the caller's
		if err != nil {
			sc.skip(t.Real, err)
			continue
		}
		if near != nil && near.Meta() == w.Meta() { // else a nearer workspace has taken it over
			sc.Files = append(sc.Files, t)
		}
	}
}

// skip notes what can't be used, once.
func (sc *Scope) skip(name string, err error) {
	err = fault.In(name, err)
	if !slices.ContainsFunc(sc.skipped, func(other error) bool { return other.Error() == err.Error() }) {
		sc.skipped = append(sc.skipped, err)
	}
}

// trackedBelow are the tracked files among which those below a path are: of a file, that
// file, which costs no more where there are many.
func (s *Site) trackedBelow(w *Workspace, under string) ([]*Target, error) {
	rel, err := filepath.Rel(w.Root, under)
	if info, statErr := s.FS.Lstat(under); err != nil || statErr != nil || !info.Mode().IsRegular() {
		return s.TrackedFiles(w)
	}
	t := w.target(filepath.ToSlash(rel))
	if _, err := s.FS.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, s.LostFiles(w)
	}
	return []*Target{t}, nil
}

// homeOf finds the workspace that covers a tracked file.
func (sc *Scope) homeOf(ctx context.Context, s *Site, t *Target, uid int) (*Workspace, error) {
	at := home{filepath.Dir(t.Real), uid}
	found, known := sc.homes[at]
	if !known {
		found.w, found.err = s.nearest(ctx, at.dir, at.dir, Lookup{uid: uid, Look: true})
		if sc.homes == nil {
			sc.homes = map[home]covering{}
		}
		sc.homes[at] = found
	}
	return found.w, found.err
}

// neverWas tells of a file that is not there that it was only locked, by somebody who
// then did not make it: its lock stays, since a lock file is never unlinked, and means
// nothing.
func (s *Site) neverWas(t *Target) bool {
	known, err := s.Tracked(t)
	if known || err != nil || s.WasTracked(t) != nil {
		return false
	}
	l, leased, err := lockmgr.ReadLease(filepath.Join(t.Dir, LockName))
	if err != nil || !leased {
		return err == nil
	}
	over, _ := l.Broken(time.Now())
	return over
}

// Below tells whether path is dir or in it.
func Below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && (rel == "." || filepath.IsLocal(rel))
}

// workspacesAround finds the workspace that covers path, and those below it.
func (sc *Scope) workspacesAround(ctx context.Context, s *Site, path string) ([]*Workspace, error) {
	info, err := s.FS.Stat(path)
	isDir := err == nil && info.IsDir()
	dir := path
	if !isDir {
		dir = filepath.Dir(path)
	}
	var found []*Workspace
	uid := os.Geteuid()
	if !isDir {
		uid = s.UserOf(info)
	}
	w, err := s.nearest(ctx, dir, dir, Lookup{uid: uid, Look: true})
	if err != nil {
		sc.skip(path, err)
	}
	if w != nil {
		found = append(found, w)
	}
	if !isDir {
		return found, nil
	}
	err = fsys.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist) && at != path:
			return fs.SkipDir // or removed meanwhile
		case err != nil:
			return err
		case fsys.IsMeta(e.Name()):
		case !e.IsDir():
			return nil
		case e.Name() == ".git":
			return fs.SkipDir
		default:
			return ctx.Err()
		}
		w, err := s.readNamed(filepath.Dir(at), e.Name(), s.userOfMeta(at))
		if err != nil && !errors.Is(err, errInactive) {
			sc.skip(filepath.Dir(at), err)
		}
		if !e.IsDir() {
			return nil
		}
		if w != nil && !slices.ContainsFunc(found, func(f *Workspace) bool { return f.Meta() == w.Meta() }) {
			found = append(found, w)
		}
		return fs.SkipDir
	})
	return found, err
}

// TrackedFiles lists what a workspace has a journal directory for. With an error it
// lists the others.
func (s *Site) TrackedFiles(w *Workspace) ([]*Target, error) {
	entries, err := s.FS.ReadDir(filepath.Join(w.Meta(), FilesDir))
	if errors.Is(err, fs.ErrNotExist) {
		err = cmp.Or(s.LostFiles(w), err)
	}
	if err != nil {
		return nil, err
	}
	var files []*Target
	var errs []error
	for _, e := range entries {
		rel, err := s.relOf(w, e.Name())
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoJournal) {
			continue // its first lock is being taken, or it is none of ours
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, w.target(rel))
	}
	return files, fault.Joined(errs)
}

// target is the file at a path below the root.
func (w *Workspace) target(rel string) *Target {
	real := filepath.Join(w.Root, filepath.FromSlash(rel))
	return &Target{Name: real, Real: real, WS: w, Rel: rel, Dir: w.FileDir(rel)}
}

var errNoJournal = errors.New("not the name of a journal")

// LeadsHere is false where a directory on the way to a tracked file has become a
// symbolic link: what is there now is another file, perhaps outside of the
// workspace, and nothing of this one's is written to it.
func (s *Site) LeadsHere(t *Target) bool {
	dir, err := RealDir(filepath.Dir(t.Real))
	return err == nil && dir == filepath.Dir(t.Real)
}

// relOf is the path of the file that a journal directory belongs to.
func (s *Site) relOf(w *Workspace, name string) (string, error) {
	rel := ""
	if strings.HasPrefix(name, "%%") {
		data, err := fsys.ReadAtMost(s.FS, filepath.Join(w.Meta(), FilesDir, name, pathName), maxPath)
		if err != nil {
			return "", err
		}
		rel = string(data)
	} else {
		var err error
		if rel, err = unescape(name); err != nil {
			return "", fmt.Errorf("%w: %v", errNoJournal, err)
		}
		if again, _ := escape(rel); again != name || !ValidRel(rel) {
			return "", errNoJournal
		}
		return rel, nil
	}
	if again, _ := escape(rel); again != name || !ValidRel(rel) {
		return "", fmt.Errorf("%s: %q is not the name of a file in this workspace", w.Meta(), name)
	}
	return rel, nil
}
