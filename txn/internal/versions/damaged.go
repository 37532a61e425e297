package versions

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Unrecorded lists the protected files of a scope that exist and of which no
// version is recorded yet. Of those that the caller knows to be recorded nothing is read.
func (s *Source) Unrecorded(ctx context.Context, sc *workspace.Scope, list []workspace.Protection, recorded func(name string) bool) ([]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	names, err := s.matching(sc, list)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return recorded(name) || !slices.ContainsFunc(sc.Under, func(under string) bool { return workspace.Below(name, under) })
	})
	return s.UnrecordedAmong(ctx, names)
}

// matching lists the files that patterns name, or those of them that a scope is about where
// it is about nothing but files.
func (s *Source) matching(sc *workspace.Scope, list []workspace.Protection) ([]string, error) {
	var names []string
	for _, name := range sc.Under {
		info, err := s.FS.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			return s.MatchingAny(list)
		}
		if workspace.ProtectedBy(list, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (s *Source) UnrecordedAmong(ctx context.Context, names []string) ([]string, error) {
	known, err := s.JournalsFor(ctx, names)
	return slices.DeleteFunc(names, func(name string) bool {
		t := known[name]
		if t == nil {
			return false
		}
		_, st, settled, err := s.Position(t) // there may be a lock, and nothing else
		return err != nil || !settled || st.Last > 0
	}), err
}

// UnreadableProtected is the error for a protected file that is no document, and
// has no version to go back to; nil where it is one.
func (s *Source) UnreadableProtected(ctx context.Context, name string) error {
	broken, err := s.BrokenForLong(ctx, name)
	if err != nil || broken == nil {
		return fault.In(name, err)
	}
	return &fault.Error{Kind: fault.ErrDamaged, File: name, Err: &NoVersionError{broken}}
}

// NoVersionError says that a protected file is damaged, and was so when jtx first
// looked at it.
type NoVersionError struct{ Err error }

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("is protected, and holds no JSON (%v); no good version of it is recorded", e.Err)
}

func (e *NoVersionError) Unwrap() error { return e.Err }

// EditorPause is how long a file that is empty or cut short is given: editors
// truncate, then write.
const EditorPause = 100 * time.Millisecond

// BrokenForLong says why a file is no document, nil where it is one. One that is
// not there is no damage.
func (s *Source) BrokenForLong(ctx context.Context, name string) (error, error) {
	broken, err := s.Broken(name)
	if broken == nil || err != nil {
		return nil, err
	}
	select {
	case <-time.After(EditorPause):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return s.Broken(name)
}

func (s *Source) Broken(name string) (error, error) {
	data, err := fsys.ReadFile(s.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return fmt.Errorf("the file was empty"), nil
	}
	_, invalid := jsonpatch.Parse(data, s.Limits)
	return invalid, nil
}

// DeletedOutside tells that a tracked file is not there, though it was not jtx that
// removed it: also where that is recorded already.
func (s *Source) DeletedOutside(t *workspace.Target) (bool, error) {
	if _, err := s.FS.Lstat(t.Real); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if t.WS == nil {
		return false, nil
	}
	_, st, known, err := s.Stands(t)
	if err != nil || !known {
		return false, err
	}
	for rec, err := range s.Versions(t, st.Last) {
		return err == nil && (rec.After.Exists || rec.Flags&wal.FlagForeign != 0), err
	}
	return false, nil
}

// DeletedForLong is DeletedOutside for a file that an editor may be about to replace.
func (s *Source) DeletedForLong(ctx context.Context, t *workspace.Target) (bool, error) {
	gone, err := s.DeletedOutside(t)
	if !gone || err != nil {
		return false, err
	}
	select {
	case <-time.After(EditorPause):
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return s.DeletedOutside(t)
}

// DeletedAmong are the files of a scope that patterns name and that were deleted
// outside. What a journal can't tell is told elsewhere.
func (s *Source) DeletedAmong(sc *workspace.Scope, list []workspace.Protection) ([]string, error) {
	var names []string
	for _, t := range sc.Files {
		if !workspace.ProtectedBy(list, t.Real) {
			continue
		}
		gone, err := s.DeletedOutside(t)
		if err != nil && !errors.Is(fault.In(t.Real, err), fault.ErrDamaged) {
			return nil, fault.In(t.Real, err)
		}
		if gone {
			names = append(names, t.Real)
		}
	}
	return names, nil
}
