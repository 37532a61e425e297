package txn

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
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
	return s.src.MatchingAny(list)
}

// unrecorded lists the protected files of a scope that exist and of which no
// version is recorded yet.
func (s *Store) unrecorded(ctx context.Context, sc *workspace.Scope, list []workspace.Protection) ([]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	names, err := s.src.MatchingAny(list)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(sc.Under, func(under string) bool { return workspace.Below(name, under) })
	})
	return s.unrecordedAmong(ctx, names)
}

func (s *Store) unrecordedAmong(ctx context.Context, names []string) ([]string, error) {
	known, err := s.src.JournalsFor(ctx, names)
	return slices.DeleteFunc(names, func(name string) bool {
		t := known[name]
		if t == nil {
			return false
		}
		_, st, settled, err := s.src.Position(t) // there may be a lock, and nothing else
		return err != nil || !settled || st.Last > 0
	}), err
}

// unreadableProtected is the error for a protected file that is no document, and
// has no version to go back to; nil where it is one.
func (s *Store) unreadableProtected(ctx context.Context, name string) error {
	broken, err := s.brokenForLong(ctx, name)
	if err != nil || broken == nil {
		return fault.In(name, err)
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
	return s.track(ctx, name, locking{})
}

// track records a file as it stands, if nothing is recorded of it yet.
func (s *Store) track(ctx context.Context, name string, how locking) (began bool, err error) {
	err = s.locked(ctx, []string{name}, how, func(ses *session) error {
		f := ses.Targets[0].File
		if !f.Log.Empty() || !f.Found.Version.Exists {
			return nil
		}
		rec, err := f.Adoption(nil)
		if err != nil {
			return fault.In(name, err)
		}
		began = true
		s.tellFormer(ses.Targets[0], rec)
		return fault.In(name, f.AppendAdoption(rec))
	})
	return began && err == nil, err
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
		real, err := workspace.RealPath(s.src.FS, name)
		if dir := filepath.Dir(real); err == nil && !seen[dir] {
			seen[dir] = true
			found = append(found, s.src.MatchingFrom(dir)...)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	known, err := s.src.JournalsFor(ctx, found)
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
		if _, err := s.track(ctx, name, locking{hasty: true}); err == nil {
			begun++
		}
		if begun == besideMost {
			return
		}
	}
}

// editorPause is how long a file that is empty or cut short is given: editors
// truncate, then write.
const editorPause = 100 * time.Millisecond
