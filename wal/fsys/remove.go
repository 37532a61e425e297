package fsys

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// RemoveTree removes a file, or a directory with all in it. One that is not there is no
// error.
func RemoveTree(fsy FS, path string) error {
	info, err := fsy.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.IsDir() {
		return fsy.Remove(path)
	}
	entries, err := fsy.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		inner := filepath.Join(path, e.Name())
		if e.IsDir() {
			err = RemoveTree(fsy, inner)
		} else {
			err = fsy.Remove(inner)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fsy.Remove(path)
}
