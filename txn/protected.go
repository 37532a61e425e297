package txn

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

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

// TrackProtected begins the history of the protected files that have none yet, and
// returns them. One that is damaged is not among them.
func (s *Store) TrackProtected(ctx context.Context) ([]string, error) {
	names, err := s.protectedFiles()
	if err == nil {
		names, err = s.src.UnrecordedAmong(ctx, names)
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
	if err := s.src.UnreadableProtected(ctx, name); err != nil {
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
		s.src.TellFormer(ses.Targets[0], rec)
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
		if broken, err := s.src.Broken(name); broken != nil || err != nil {
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
