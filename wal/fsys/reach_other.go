//go:build !linux

package fsys

import (
	"io/fs"
	"path/filepath"
)

// ReachHere does nothing where no descriptor of a directory has a name.
func ReachHere(string) error { return nil }

// Reach is a name for system calls that leads to where name does.
func Reach(name string) string { return name }

// IsHere tells of a name that it is reached otherwise than by its path.
func IsHere(string) bool { return false }

// EvalSymlinks is filepath.EvalSymlinks.
func EvalSymlinks(name string) (string, error) { return filepath.EvalSymlinks(name) }

// WalkDir is filepath.WalkDir.
func WalkDir(root string, fn fs.WalkDirFunc) error { return filepath.WalkDir(root, fn) }
