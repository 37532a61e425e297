package admin_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func TestKeepScripts(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "a [1]*.sh")
	require.NoError(t, os.WriteFile(script, []byte("one\n"), 0o700))
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	ctx := context.Background()

	first, err := admin.Keep(ctx, s, script, []byte("one\n"))
	require.NoError(t, err)
	again, err := admin.Keep(ctx, s, "a [1]*.sh", []byte("one\n"))
	require.NoError(t, err)
	require.Equal(t, first, again)
	second, err := admin.Keep(ctx, s, script, []byte("two\n"))
	require.NoError(t, err)
	require.NotEqual(t, first, second)

	data, err := os.ReadFile(first)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(data))
	info, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "no more people may read it than the script")
	_, err = admin.Keep(ctx, s, "nope.sh", nil)
	require.Error(t, err)
	_, err = admin.Recover(ctx, s, []string{dir}, admin.RecoverOptions{})
	require.NoError(t, err)
	require.FileExists(t, first)
}
