//go:build unix

package fsys

import (
	"errors"
	"slices"
	"syscall"
)

// refusals are the errors with which a kernel, a file system, a container's sandbox
// or a server that a file system stands on says that it doesn't do a call at all.
var refusals = []error{syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOTSUP, syscall.EINVAL, syscall.EPERM}

// Refused tells that a call may not be known here, or not be allowed: so that what it
// is for must be done in another way. Where the error meant something else, that
// way meets it too.
func Refused(err error) bool {
	return slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) })
}
