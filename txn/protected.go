package txn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/wal/fsys"
)

// Protected files come into being at any time, by any program. Reading verbs show
// those of which nothing is recorded yet, and create nothing; what changes
// something takes their first image.

// protectedFiles lists the files that exist and match the patterns around the
// store's directory.
func (s *Store) protectedFiles() ([]string, error) {
	list, err := s.Protections(context.Background())
	if err != nil {
		return nil, err
	}
	return s.matchingAny(list)
}

func (s *Store) matchingAny(list []Protection) ([]string, error) {
	var names []string
	for _, p := range list {
		found, err := s.matching(p)
		if err != nil {
			return nil, fail(p.Root, err)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// matching walks the directories that a pattern can match in.
func (s *Store) matching(p Protection) ([]string, error) {
	var names []string
	segments := strings.Split(p.Pattern, "/")
	literal := 0
	for literal < len(segments)-1 && !strings.ContainsAny(segments[literal], `*?[\`) {
		literal++
	}
	from := filepath.Join(p.Root, filepath.Join(segments[:literal]...))
	if real, err := realDir(from); err != nil || real != from {
		return nil, nil // it is not there, or a link leads elsewhere
	}
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		parts, err := p.parts(name)
		switch {
		case err != nil:
			return err
		case !e.IsDir():
			if e.Type().IsRegular() && matchSegments(segments, parts) && !p.ignores(parts) {
				names = append(names, name)
			}
		case name == from:
		case fsys.IsMeta(e.Name()), e.Name() == ".git", !p.deep() && !matchSegments(segments[:min(len(parts), len(segments)-1)], parts):
			return filepath.SkipDir
		}
		return nil
	})
	return names, err
}

// deep tells whether the pattern names files at any depth.
func (p Protection) deep() bool { return slices.Contains(strings.Split(p.Pattern, "/"), "**") }

// parts are the segments of a path relative to the pattern's root.
func (p Protection) parts(real string) ([]string, error) {
	rel, err := filepath.Rel(p.Root, real)
	return strings.Split(filepath.ToSlash(rel), "/"), err
}

// matches tells whether the pattern names the file at a real path.
func (p Protection) matches(real string) bool {
	parts, err := p.parts(real)
	return err == nil && matchSegments(strings.Split(p.Pattern, "/"), parts) && !p.ignores(parts)
}

func (p Protection) ignores(parts []string) bool {
	for pattern := range strings.SplitSeq(p.ignore, "\n") {
		if matchSegments(strings.Split(pattern, "/"), parts) {
			return true
		}
	}
	return false
}

// protectionsIn lists the patterns that can name files of a scope: those of its
// workspaces, and of all above it. It goes on past settings that can't be read.
func (s *Store) protectionsIn(sc *scope) ([]Protection, error) {
	var list []Protection
	var errs []error
	add := func(more []Protection, err error) {
		for _, p := range more {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
		if err != nil && !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == err.Error() }) {
			errs = append(errs, err)
		}
	}
	for _, under := range sc.under { // what is set for under itself is a workspace's
		add(s.protectionsAbove(filepath.Dir(under)))
	}
	for _, w := range sc.workspaces {
		add(s.protectionsAt(w.root))
	}
	return list, errors.Join(errs...)
}

func protectedBy(list []Protection, real string) bool {
	return slices.ContainsFunc(list, func(p Protection) bool { return p.matches(real) })
}

// unrecorded lists the protected files of a scope that exist and of which no
// version is recorded yet.
func (s *Store) unrecorded(ctx context.Context, sc *scope, list []Protection) ([]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	names, err := s.matchingAny(list)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(sc.under, func(under string) bool { return below(name, under) })
	})
	return s.unrecordedAmong(ctx, names)
}

func (s *Store) unrecordedAmong(ctx context.Context, names []string) ([]string, error) {
	known, err := s.journalsFor(ctx, names)
	return slices.DeleteFunc(names, func(name string) bool {
		t := known[name]
		if t == nil {
			return false
		}
		_, st, settled, err := s.position(t) // there may be a lock, and nothing else
		return err != nil || !settled || st.Last > 0
	}), err
}

// journalsFor finds what the workspaces that cover files have journals for. It looks
// at each directory once.
func (s *Store) journalsFor(ctx context.Context, names []string) (map[string]*target, error) {
	known := map[string]*target{}
	seen := map[string]bool{}
	for _, name := range names {
		dir := filepath.Dir(name)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		w, err := s.coveredBy(ctx, dir)
		if err != nil {
			return nil, err
		}
		if w == nil || seen[w.meta()] {
			continue
		}
		seen[w.meta()] = true
		files, err := s.trackedFiles(w)
		if err != nil {
			return nil, err
		}
		for _, t := range files {
			known[t.real] = t
		}
	}
	return known, nil
}

// unreadableProtected is the error for a protected file that is no document, and
// has no version to go back to; nil where it is one.
func (s *Store) unreadableProtected(ctx context.Context, name string) error {
	broken, err := s.brokenForLong(ctx, name)
	if err != nil || broken == nil {
		return fail(name, err)
	}
	return &Error{Kind: ErrDamaged, File: name, Err: &NoVersionError{broken}}
}

// NoVersionError says that a protected file is damaged, and was so when jtx first
// looked at it.
type NoVersionError struct{ Err error }

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("is protected, and holds no JSON (%v); no good version of it is recorded", e.Err)
}

func (e *NoVersionError) Unwrap() error { return e.Err }

// TrackProtected begins the history of the protected files that have none yet, and
// returns them. One that is damaged is not among them.
func (s *Store) TrackProtected(ctx context.Context) ([]string, error) {
	names, err := s.protectedFiles()
	if err == nil {
		names, err = s.unrecordedAmong(ctx, names)
	}
	if err != nil {
		return nil, err
	}
	var tracked []string
	var failed error
	for _, name := range names {
		began, err := s.trackGood(ctx, name)
		if err != nil {
			failed = errors.Join(failed, err) // the others are not kept waiting for it
		} else if began {
			tracked = append(tracked, name)
		}
	}
	return tracked, failed
}

// trackGood is track for a protected file that may be no document: nothing is made
// for it then.
func (s *Store) trackGood(ctx context.Context, name string) (began bool, err error) {
	if err := s.unreadableProtected(ctx, name); err != nil {
		return false, err
	}
	return s.track(ctx, name)
}

// track records a file as it stands, if nothing is recorded of it yet.
func (s *Store) track(ctx context.Context, name string) (began bool, err error) {
	err = s.locked(ctx, []string{name}, locking{}, func(ses *session) error {
		f := ses.targets[0].file
		if !f.Log.Empty() || !f.Found.Version.Exists {
			return nil
		}
		rec, err := f.Adoption(nil)
		if err != nil {
			return fail(name, err)
		}
		began = true
		s.tellFormer(ses.targets[0], rec)
		return fail(name, f.AppendAdoption(rec))
	})
	return began && err == nil, err
}

// impatient is the store as one that waits for no lock.
func (s *Store) impatient() *Store {
	other := *s
	other.opt.LockTimeout = -1
	return &other
}

// besideMost bounds how many histories begin after one change, each with a few
// syncs.
const besideMost = 32

// trackBeside begins the history of protected files that have appeared, after a
// change of names. It is no part of the change: it waits for nobody, and what it
// can't record is left to whoever comes next. A pattern with ** is looked for in the
// directories of the names alone, so that a change does not walk a whole tree.
func (s *Store) trackBeside(ctx context.Context, names []string) {
	var found []string
	seen := map[string]bool{}
	for _, name := range names {
		real, err := realPath(s.fs, name)
		if dir := filepath.Dir(real); err == nil && !seen[dir] {
			seen[dir] = true
			found = append(found, s.matchingFrom(dir)...)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	known, err := s.journalsFor(ctx, found)
	if err != nil {
		return
	}
	begun := 0
	for _, name := range found {
		if known[name] != nil {
			continue
		}
		if broken, err := s.broken(name); broken != nil || err != nil {
			continue
		}
		if _, err := s.impatient().track(ctx, name); err == nil {
			begun++
		}
		if begun == besideMost {
			return
		}
	}
}

// matchingFrom lists the files that the patterns above dir name, those with **
// only in dir itself. What can't be looked at is left out.
func (s *Store) matchingFrom(dir string) []string {
	list, err := s.protectionsAbove(dir)
	if err != nil || len(list) == 0 {
		return nil
	}
	var found []string
	var deep []Protection
	for _, p := range list {
		if p.deep() {
			deep = append(deep, p)
			continue
		}
		names, _ := s.matching(p)
		found = append(found, names...)
	}
	if len(deep) == 0 {
		return found
	}
	entries, _ := s.fs.ReadDir(dir)
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); e.Type().IsRegular() && protectedBy(deep, name) {
			found = append(found, name)
		}
	}
	return found
}
