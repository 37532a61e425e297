package admin

import (
	"context"
	"errors"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
)

// Protected files come into being at any time, by any program. Reading verbs show
// those of which nothing is recorded yet, and create nothing; what changes
// something takes their first image.

// protectedFiles lists the files that exist and match the patterns around the
// store's directory.
func (s house) protectedFiles() ([]string, error) {
	list, err := Protections(context.Background(), s.store)
	if err != nil {
		return nil, err
	}
	return s.MatchingAny(list)
}

// TrackProtected begins the history of the protected files that have none yet, and
// returns them. One that is damaged is not among them.
func TrackProtected(ctx context.Context, store *txn.Store) ([]string, error) {
	s := of(store)
	names, err := s.protectedFiles()
	if err == nil {
		names, err = s.UnrecordedAmong(ctx, names)
	}
	if err != nil {
		return nil, err
	}
	began, errs := s.trackAll(ctx, names, s.trackGood)
	var tracked []string
	for i, name := range names {
		if began[i] {
			tracked = append(tracked, name)
		}
	}
	return tracked, errors.Join(errs...)
}

// trackAll calls track, which begins a file's history, for some files, many at once. One
// that can't be begun keeps no other from it.
func (s house) trackAll(ctx context.Context, names []string, track func(context.Context, string) (bool, error)) (began []bool, errs []error) {
	began, errs = make([]bool, len(names)), make([]error, len(names))
	ended := inSyncs(ctx, len(names), func(i int) { began[i], errs[i] = track(ctx, names[i]) }, func(int) {})
	if ended != nil && len(errs) > 0 {
		errs[len(errs)-1] = ended
	}
	return began, errs
}

// trackGood is track for a protected file that may be no document: nothing is made
// for it then.
func (s house) trackGood(ctx context.Context, name string) (began bool, err error) {
	if err := s.UnreadableProtected(ctx, name); err != nil {
		return false, err
	}
	return s.Track(ctx, name, doors.Locking{})
}
