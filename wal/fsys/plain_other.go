//go:build !linux && !windows

package fsys

import (
	"io/fs"
	"os"
)

func syncFile(f *os.File) error { return f.Sync() }

func openPlain(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func renamePlain(oldname, newname string) error { return os.Rename(oldname, newname) }
