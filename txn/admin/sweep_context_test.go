package admin_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// What goes over many files ends with its context, and says why.
func TestSweepsEndWithTheirContext(t *testing.T) {
	s, dir := openStore(t)
	for _, name := range []string{"a.json", "b.json"} {
		set(t, s, name, "/n", 1)
		set(t, s, name, "/n", 2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, sweep := range map[string]func() error{
		"recover": func() error { _, err := admin.Recover(ctx, s, nil, admin.RecoverOptions{}); return err },
		"compact": func() error { _, err := admin.Compact(ctx, s, nil, admin.Retention{Revs: 1}); return err },
		"verify":  func() error { _, err := admin.Verify(ctx, s, nil, admin.VerifyOptions{}); return err },
		"status":  func() error { _, err := admin.Status(ctx, s, nil); return err },
		"backup": func() error {
			_, err := admin.Backup(ctx, s, filepath.Join(t.TempDir(), "saved"), admin.BackupOptions{})
			return err
		},
		"restore all": func() error { _, err := history.RestoreAll(ctx, s, history.AtTime(time.Now())); return err },
		"seen":        func() error { _, err := admin.Seen(ctx, s, nil); return err },
	} {
		require.ErrorIs(t, sweep(), context.Canceled, name)
	}
	require.Zero(t, rewritten(t, dir, "a.json"))
	require.Equal(t, "2", get(t, s, "a.json", "/n"))
}
