package lockmgr

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A lock file that was replaced between its opening and the end of a look is not the
// one that others lock.
func TestAReplacedLockFileIsSeen(t *testing.T) {
	for _, mode := range []Mode{Exclusive, Shared} {
		t.Run(mode.String(), func(t *testing.T) { lookAtReplaced(t, mode) })
	}
}

func lookAtReplaced(t *testing.T, mode Mode) {
	r := Request{Path: filepath.Join(t.TempDir(), "lock"), Mode: mode}
	replaced := func(fl *flock.Flock, mode Mode) error {
		err := tryOnce(fl, mode)
		require.NoError(t, os.Rename(r.Path, r.Path+".old"))
		require.NoError(t, createLockFile(&r))
		return err
	}
	require.NoError(t, createLockFile(&r))
	fl, err := openLocked(&r, replaced)
	require.NoError(t, err)
	defer func() { require.NoError(t, fl.Unlock()) }()
	assert.False(t, look(fl, &r).same)

	other, err := openLocked(&r, tryOnce)
	require.NoError(t, err, "the new file is free")
	defer func() { require.NoError(t, other.Unlock()) }()
	assert.True(t, look(other, &r).same)
}
