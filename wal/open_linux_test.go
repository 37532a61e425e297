package wal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/stretchr/testify/require"
)

// closedFirst fails a test that renames over a file which this process has open: systems
// other than POSIX refuse that.
type closedFirst struct {
	fsys.FS
	t       *testing.T
	renamed int
}

func (c *closedFirst) Rename(from, to string) error {
	fds, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(c.t, err)
	for _, fd := range fds {
		if name, err := os.Readlink(fd); err == nil {
			require.NotEqual(c.t, to, name, "it is open")
		}
	}
	c.renamed++
	return c.FS.Rename(from, to)
}

// TestNoRenameOverAnOpenSegment: what was not synced is copied in the place of the segment
// that it is in, also where tidwall/wal has that open.
func TestNoRenameOverAnOpenSegment(t *testing.T) {
	dir := fileDir(t)
	opt := testOptions()
	over := &closedFirst{FS: fsys.OS, t: t}
	opt.FS = over
	l := open(t, dir, opt)
	require.NoError(t, l.Append(patch(1)))
	require.NoError(t, l.Append(patch(2)))
	require.NotNil(t, l.appender)
	require.NoError(t, l.Secure())
	require.Equal(t, 1, over.renamed)
	require.NoError(t, l.Append(patch(3)))
	require.NoError(t, l.Sync())
	require.Equal(t, LSN(3), l.State().Last)
}
