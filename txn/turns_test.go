package txn

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/lockmgr"
)

// TestTurnsEnd: while another process waits, a caller that comes back at once has the locks
// for some transactions more, and one that doesn't gives them up behind the first.
func TestTurnsEnd(t *testing.T) {
	park, tenure := parkTime, maxTenure
	t.Cleanup(func() { parkTime, maxTenure = park, tenure })
	maxTenure = time.Hour
	s, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	n := 0
	keeps := func() bool {
		t.Helper()
		n++
		_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *Tx) error { return tx.Set("a.json", "/n", n) })
		require.NoError(t, err)
		// As one leaves it who waits.
		require.NoError(t, os.Truncate(filepath.Join(s.src.Dir, ".jtx", "files", "a.json", "lock"), lockmgr.FileSize+1))
		return len(s.parked.all()) == 1
	}
	parkTime = time.Hour
	require.True(t, keeps(), "nobody waits yet")
	for range maxTurns - 2 {
		require.True(t, keeps())
	}
	require.False(t, keeps(), "it is the turn of another one")
	require.True(t, keeps(), "it has stood in line behind those who waited")
	for _, g := range s.groups {
		g.ended = time.Time{}
	}
	require.False(t, keeps(), "it does not come at once")
	require.NoError(t, s.Close())
}
