//go:build !linux

package session

import "io"

// pollable is for Linux.
func pollable(in io.Reader) (r io.Reader, done func()) { return in, func() {} }
