package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal/fsys"
)

// ProtectKey is the setting that lists patterns of protected files.
const ProtectKey = "protect"

// Protection is a pattern of files that matter. It is relative to Root; ** in it
// stands for any number of directories.
type Protection struct {
	Root, Pattern string
	ignore        string // the patterns that the same settings ignore, a line each
}

// PatternsIn are those of one setting.
func PatternsIn(values map[string]json.RawMessage, key string) ([]string, error) {
	var have []string
	raw, ok := values[key]
	if !ok {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &have); err != nil {
		return nil, &fault.Error{Kind: fault.ErrInvalid, File: settingsName, Pointer: "/" + key, Err: err}
	}
	return have, nil
}

func (s *Site) ProtectionsAbove(dir string) ([]Protection, error) {
	var list []Protection
	for at := dir; ; at = filepath.Dir(at) {
		here, err := s.protectionsAt(at)
		list = append(list, here...)
		if err != nil && s.Searchable(at) {
			return list, err
		}
		if at == filepath.Dir(at) {
			return list, nil
		}
	}
}

// Searchable is false of a directory in which the caller may not look anything up: so of
// one above the working directory, perhaps, as with sudo -u.
func (s *Site) Searchable(dir string) bool {
	_, err := s.FS.Lstat(dir + string(filepath.Separator) + ".")
	return !errors.Is(err, fs.ErrPermission)
}

// protectionsAt lists the patterns of the workspace whose root is dir.
func (s *Site) protectionsAt(dir string) ([]Protection, error) {
	values, err := s.ReadSettings(dir)
	if errors.Is(err, ErrUntrusted) {
		return nil, nil // somebody else's, above the directory or below it
	}
	if err != nil {
		return nil, err
	}
	patterns, err := PatternsIn(values, ProtectKey)
	ignored, badly := PatternsIn(values, SettingIgnore)
	err = errors.Join(err, badly)
	var list []Protection
	for _, p := range patterns {
		if filepath.IsLocal(filepath.FromSlash(p)) { // no one is made that is not
			list = append(list, Protection{dir, p, strings.Join(ignored, "\n")})
		}
	}
	return list, err
}

// matchSegments matches a path against a pattern, segment by segment.
func matchSegments(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(name) + 1 {
				if matchSegments(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

func (s *Site) MatchingAny(list []Protection) ([]string, error) {
	var names []string
	for _, p := range list {
		found, err := s.matching(p)
		if err != nil {
			return nil, fault.In(p.Root, err)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// matching walks the directories that a pattern can match in.
func (s *Site) matching(p Protection) ([]string, error) {
	var names []string
	segments := strings.Split(p.Pattern, "/")
	literal := 0
	for literal < len(segments)-1 && !strings.ContainsAny(segments[literal], `*?[\`) {
		literal++
	}
	from := filepath.Join(p.Root, filepath.Join(segments[:literal]...))
	if real, err := RealDir(from); err != nil || real != from {
		//lint:ignore nilerr there is nothing to protect
		return nil, nil // it is not there, or a link leads elsewhere
	}
	err := fsys.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
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

// Matches tells whether the pattern names the file at a real path.
func (p Protection) Matches(real string) bool {
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

// ProtectionsIn lists the patterns that can name files of a scope: those of its
// workspaces, and of all above it. It goes on past settings that can't be read.
func (s *Site) ProtectionsIn(sc *Scope) ([]Protection, error) {
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
	for _, under := range sc.Under { // what is set for under itself is a workspace's
		add(s.ProtectionsAbove(filepath.Dir(under)))
	}
	for _, w := range sc.Workspaces {
		add(s.protectionsAt(w.Root))
	}
	return list, errors.Join(errs...)
}

func ProtectedBy(list []Protection, real string) bool {
	return slices.ContainsFunc(list, func(p Protection) bool { return p.Matches(real) })
}

// JournalsFor finds what the workspaces that cover files have journals for. It looks
// at each directory once.
func (s *Site) JournalsFor(ctx context.Context, names []string) (map[string]*Target, error) {
	known := map[string]*Target{}
	seen := map[string]bool{}
	for _, name := range names {
		dir := filepath.Dir(name)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		w, err := s.CoveredBy(ctx, dir)
		if err != nil {
			return nil, err
		}
		if w == nil || seen[w.Meta()] {
			continue
		}
		seen[w.Meta()] = true
		files, err := s.TrackedFiles(w)
		if err != nil {
			return nil, err
		}
		for _, t := range files {
			known[t.Real] = t
		}
	}
	return known, nil
}

// MatchingFrom lists the files that the patterns above dir name, those with **
// only in dir itself. What can't be looked at is left out.
func (s *Site) MatchingFrom(dir string) []string {
	list, err := s.ProtectionsAbove(dir)
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
	entries, _ := s.FS.ReadDir(dir)
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); e.Type().IsRegular() && ProtectedBy(deep, name) {
			found = append(found, name)
		}
	}
	return found
}
