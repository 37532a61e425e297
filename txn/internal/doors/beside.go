package doors

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// Track records a file as it stands, if nothing is recorded of it yet.
func (s *Store) Track(ctx context.Context, name string, how Locking) (began bool, err error) {
	err = s.Locked(ctx, []string{name}, how, func(ses *Files) error {
		f := ses.Targets[0].File
		if !f.Log.Empty() || !f.Found.Version.Exists {
			return nil
		}
		rec, err := f.Adoption(nil)
		if err != nil {
			return fault.In(name, err)
		}
		began = true
		s.TellFormer(ses.Targets[0], rec)
		return fault.In(name, f.AppendAdoption(rec))
	})
	return began && err == nil, err
}

// besideMost bounds how many histories begin after one change, each with a few
// syncs.
const besideMost = 32

// TrackBeside begins the history of protected files that have appeared, after a
// change of names. It is no part of the change: it waits for nobody, and what it
// can't record is left to whoever comes next. A pattern with ** is looked for in the
// directories of the names alone, so that a change does not walk a whole tree.
func (s *Store) TrackBeside(ctx context.Context, names []string) {
	var found []string
	seen := map[string]bool{}
	for _, name := range names {
		real, err := workspace.RealPath(s.FS, name)
		if dir := filepath.Dir(real); err == nil && !seen[dir] {
			seen[dir] = true
			found = append(found, s.MatchingFrom(dir)...)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	known, err := s.JournalsFor(ctx, found)
	if err != nil {
		return
	}
	begun := 0
	for _, name := range found {
		if known[name] != nil {
			continue
		}
		if broken, err := s.Broken(name); broken != nil || err != nil {
			continue
		}
		if _, err := s.Track(ctx, name, Locking{Hasty: true}); err == nil {
			begun++
		}
		if begun == besideMost {
			return
		}
	}
}
