//go:build !linux

package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// checkBeneath looks whether a link leads to a name below .jtx. What is swapped in
// after the look would be followed.
func checkBeneath(op, name string) error {
	root, rest, ok := within(name)
	if !ok {
		return nil
	}
	at := root
	dir := filepath.Dir(rest)
	for _, part := range splitPath(dir) {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the call itself says so
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return &fs.PathError{Op: op, Path: name, Err: &plantedError{"not a directory", fs.ErrInvalid}}
		}
	}
	return nil
}

func splitPath(path string) (parts []string) {
	for dir, base := filepath.Split(path); ; dir, base = filepath.Split(filepath.Clean(dir)) {
		parts = append([]string{base}, parts...)
		if dir == "" {
			return parts
		}
	}
}

// checkOurs looks besides that the name is free, or that of a regular file or a directory.
func checkOurs(op, name string) error {
	if err := checkBeneath(op, name); err != nil {
		return err
	}
	if _, _, ok := beneath(name); !ok {
		return nil
	}
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return &fs.PathError{Op: op, Path: name, Err: &plantedError{"a link, or no file", fs.ErrInvalid}}
	}
	return nil // the call itself says what else there is
}

// Beneath looks that no link leads to a name below .jtx, and gives it back: for libraries
// that want a name.
func Beneath(name string) (path string, release func(), err error) {
	return name, func() {}, checkBeneath("open", name)
}

// BeneathDir is Beneath for a directory.
func BeneathDir(name string) (path string, release func(), err error) {
	return name, func() {}, checkOurs("open", name)
}
