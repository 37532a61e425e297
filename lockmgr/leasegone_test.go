package lockmgr

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who waits for a lease goes on waiting as long as that very lease stands, and no longer.
func TestLeaseGone(t *testing.T) {
	path := lockPath(t)
	l := leased(t, path, Lease{Tx: "T1"})
	require.False(t, leaseGone(path, l))

	other := l
	other.Tx = "T2"
	require.True(t, leaseGone(path, other), "another one's")
	other = l
	other.Token++
	require.True(t, leaseGone(path, other), "granted again since")

	past := l
	past.Expires = time.Now().Add(-time.Minute)
	require.NoError(t, writeLeaseFile(path, past))
	require.True(t, leaseGone(path, l), "its time is over")
	past = l
	past.Ended = true
	require.NoError(t, writeLeaseFile(path, past))
	require.True(t, leaseGone(path, l), "it was given up")
	require.NoError(t, os.Remove(leasePath(path)))
	require.True(t, leaseGone(path, l))
}
