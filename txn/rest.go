package txn

import (
	"context"
	"errors"
	"slices"
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
			return res, joined(append(failed, err))
		}
		failed = append(failed, err)
		files = slices.Delete(slices.Clone(files), at, at+1)
	}
	return Result{}, joined(failed)
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

// joined is errors.Join, but for a single error, which stays as it is.
func joined(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
