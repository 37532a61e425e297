//go:build !unix

package fsys

import "errors"

// Refused tells that a call is not known here.
func Refused(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
