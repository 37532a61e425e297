//go:build !linux

package fsys

import "io/fs"

// SameACL tells whether two files have one access control list, or none, beside their
// modes. It is not asked on this system.
func SameACL(_, _ string) bool { return true }

// DropACL removes the access control lists that a file or directory that was just made
// has from its directory. On this system a mode doesn't go with a list.
func DropACL(File) error { return nil }

// ModeWithoutACL is the mode for what is for those who may use the file at name, and has
// no access control list where that has one. It is not asked on this system.
func ModeWithoutACL(_ string, mode fs.FileMode) fs.FileMode { return mode }
