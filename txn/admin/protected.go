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
func (s house) trackGood(ctx context.Context, name string) (began bool, err error) {
	if err := s.UnreadableProtected(ctx, name); err != nil {
		return false, err
	}
	return s.Track(ctx, name, doors.Locking{})
}
