package txn

import (
	"context"
	"errors"
	"slices"

	"github.com/jtx-project/jtx/txn/internal/fault"
)

// doTheRest is Do for files that need not all be changed: where one of them is what
// the transaction fails by, it goes on without that one. What failed is returned
// joined, beside the result of the others.
func (s *Store) doTheRest(ctx context.Context, files []string, fn func(*Tx) error, opts ...Option) (Result, error) {
	var failed []error
	for len(files) > 0 {
		res, err := s.Do(ctx, files, fn, opts...)
		at := culprit(files, err)
		if at < 0 {
			return res, fault.Joined(append(failed, err))
		}
		failed = append(failed, err)
		files = slices.Delete(slices.Clone(files), at, at+1)
	}
	return Result{}, fault.Joined(failed)
}

// culprit is the place of the file that an error is about, -1 where others would
// fail too, or all of it is not as the caller expected.
func culprit(files []string, err error) int {
	var e *Error
	if !errors.As(err, &e) || errors.Is(err, ErrInDoubt) || errors.Is(err, ErrConflict) {
		return -1
	}
	return slices.Index(files, e.File)
}
