//go:build !linux

package fsys

import (
	"errors"
	"os"
)

// Lease fails: only Linux has leases.
func Lease(f File) error {
	return &os.PathError{Op: "lease", Path: f.Name(), Err: errors.ErrUnsupported}
}

// Unlease gives a lease back.
func Unlease(f File) error { return Lease(f) }
