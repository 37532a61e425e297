//go:build !linux

package fsys

// SameACL tells whether two files have one access control list, or none, beside their
// modes. It is not asked on this system.
func SameACL(_, _ string) bool { return true }
