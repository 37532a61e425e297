package txn

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeepScripts(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "a [1]*.sh")
	require.NoError(t, os.WriteFile(script, []byte("one\n"), 0o700))
	s, err := Open(dir, Options{})
	require.NoError(t, err)
	ctx := context.Background()

	first, err := s.Keep(ctx, script, []byte("one\n"))
	require.NoError(t, err)
	again, err := s.Keep(ctx, "a [1]*.sh", []byte("one\n"))
	require.NoError(t, err)
	require.Equal(t, first, again)
	second, err := s.Keep(ctx, script, []byte("two\n"))
	require.NoError(t, err)
	require.NotEqual(t, first, second)

	data, err := os.ReadFile(first)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(data))
	info, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "no more people may read it than the script")
	_, err = s.Keep(ctx, "nope.sh", nil)
	require.Error(t, err)
	_, err = s.Recover(ctx, []string{dir}, RecoverOptions{})
	require.NoError(t, err)
	require.FileExists(t, first)
}
