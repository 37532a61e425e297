package admin_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
)

func TestPatternsOfProtectedFiles(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a.json", "a.json", true},
		{"*.json", "a.json", true},
		{"*.json", "d/a.json", false},
		{"d/*.json", "d/a.json", true},
		{"**/*.json", "a.json", true},
		{"**/*.json", "x/y/a.json", true},
		{"d/**/a.json", "d/a.json", true},
		{"d/**", "d/x/y", true},
		{"d/**", "e/x", false},
		{"d", "d/x", false},
	} {
		require.Equal(t, c.want, workspace.Protection{Root: "/r", Pattern: c.pattern}.Matches("/r/"+c.name), "%s %s", c.pattern, c.name)
	}
}

func TestProtectTracksAndHeals(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	put("memory/a.json", `{"good": 1}`)
	put("memory/b.txt", `x`)
	put("other.json", `{}`)
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	ctx := context.Background()

	tracked, err := admin.Protect(ctx, s, []string{"memory/*.json"})
	require.NoError(t, err)
	require.Len(t, tracked, 1)
	again, err := admin.Protect(ctx, s, []string{"memory/*.json"})
	require.NoError(t, err)
	require.Empty(t, again)
	p, err := admin.Protected(ctx, s, "memory/a.json")
	require.NoError(t, err)
	require.Equal(t, "memory/*.json", p.Pattern)
	_, err = admin.Protected(ctx, s, "other.json")
	require.ErrorIs(t, err, txn.ErrNotFound)

	none, err := admin.Heal(ctx, s, nil)
	require.NoError(t, err)
	require.Empty(t, none)
	put("memory/a.json", `{"good`)
	healed, err := admin.Heal(ctx, s, nil)
	require.NoError(t, err)
	require.Len(t, healed, 1)
	require.NoError(t, healed[0].Err)
	data, err := os.ReadFile(filepath.Join(dir, "memory/a.json"))
	require.NoError(t, err)
	require.Equal(t, `{"good": 1}`, string(data))

	// An editor that truncates and then writes is not disturbed.
	put("memory/a.json", ``)
	go func() {
		time.Sleep(versions.EditorPause / 3)
		put("memory/a.json", `{"good": 2}`)
	}()
	healed, err = admin.Heal(ctx, s, []string{"memory/a.json"})
	require.NoError(t, err)
	require.Empty(t, healed)

	_, err = admin.Heal(ctx, s, []string{"other.json"})
	require.ErrorIs(t, err, txn.ErrNotFound)
	require.NoError(t, admin.Unprotect(ctx, s, []string{"memory/*.json"}))
	require.ErrorIs(t, admin.Unprotect(ctx, s, []string{"memory/*.json"}), txn.ErrNotFound)
	_, err = admin.Protected(ctx, s, "memory/a.json")
	require.ErrorIs(t, err, txn.ErrNotFound)
	_, err = admin.Protect(ctx, s, []string{"../x.json"})
	require.ErrorIs(t, err, txn.ErrInvalid)
}
