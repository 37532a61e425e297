package doors

import (
	"errors"
	"slices"

	"github.com/jtx-project/jtx/txn/internal/fault"
)

// TheRest does to files what need not be done to all of them: where one is what that fails
// by, it goes on without that one. What failed is returned joined, beside the result of
// the others.
func TheRest[R any](files []string, do func([]string) (R, error)) (R, error) {
	var failed []error
	for len(files) > 0 {
		res, err := do(files)
		at := culprit(files, err)
		if at < 0 {
			return res, fault.Joined(append(failed, err))
		}
		failed = append(failed, err)
		files = slices.Delete(slices.Clone(files), at, at+1)
	}
	var none R
	return none, fault.Joined(failed)
}

// culprit is the place of the file that an error is about, -1 where others would
// fail too, or all of it is not as the caller expected.
func culprit(files []string, err error) int {
	var e *fault.Error
	if !errors.As(err, &e) || errors.Is(err, fault.ErrInDoubt) || errors.Is(err, fault.ErrConflict) {
		return -1
	}
	return slices.Index(files, e.File)
}
