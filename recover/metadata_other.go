//go:build !linux

package recovery

import (
	"io/fs"

	"github.com/jtx-project/jtx/wal/fsys"
)

// copyMetadata gives f the mode of what it replaces. Owners and extended
// attributes are copied on Linux only.
func copyMetadata(f fsys.File, _ string, old fs.FileInfo) ([]string, error) {
	return nil, f.Chmod(old.Mode().Perm())
}

// sameGroup tells whether two files are known to belong to one group.
func sameGroup(_, _ fs.FileInfo) bool { return false }

// sameOwner is true: owners are not copied here.
func sameOwner(_, _ fs.FileInfo) bool { return true }
