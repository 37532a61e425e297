package txn_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// fileTime is long ago, so that nobody waits for a half-written file.
var fileTime = time.Unix(1_600_000_000, 0)

func TestRedactLeavesNoTrace(t *testing.T) {
	const secret = "hunter2-hunter2"
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	set(t, s, "a.json", "/n", 1)
	set(t, s, "a.json", "/db", map[string]string{"password": secret, "user": "me"})
	set(t, s, "a.json", "/n", 2, txn.WithMessage("now with "+secret))
	write(t, path, `{"n":3,  "db":{"password":"`+secret+`"}}`)
	set(t, s, "a.json", "/n", 4)
	write(t, path, `{"password":"`+secret+`"`)
	require.NoError(t, os.Chtimes(path, fileTime, fileTime))
	restore(t, s, "a.json", txn.Point{})

	_, err := s.Redact(context.Background(), "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrNotFound, "it is still in use")
	set(t, s, "a.json", "/db/password", "new")
	open, err := s.Begin(context.Background(), []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	_, err = s.Redact(context.Background(), "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrConflict)
	require.NoError(t, open.Abort(context.Background()))

	done, err := s.Redact(context.Background(), "a.json", "/db/password")
	require.NoError(t, err)
	require.Equal(t, 1, done.Values)
	require.Equal(t, 1, done.Messages)
	require.Len(t, done.Removed, 1)
	require.Empty(t, done.Elsewhere)
	verify(t, s)
	_, err = s.Compact(context.Background(), nil, txn.Retention{})
	require.NoError(t, err)
	for i, want := range []string{"", "[redacted]", "[redacted]", "[redacted]", "[redacted]", "[redacted]", "new"} {
		v, err := s.ReadVersion(context.Background(), "a.json", txn.AtRev(uint64(i+1)))
		require.NoError(t, err)
		require.NotContains(t, string(v.Data), secret)
		require.Contains(t, string(v.Data), want)
	}
	for e, err := range s.History(context.Background(), nil, txn.HistoryOptions{Patches: true}) {
		require.NoError(t, err)
		for _, f := range e.Files {
			require.NotContains(t, string(f.Patch.Encode()), secret)
		}
	}
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !strings.HasSuffix(name, ".zst") {
			require.NotContains(t, read(t, name), secret, name)
		}
		return err
	}))
	_, err = s.Redact(context.Background(), "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrNotFound)
	set(t, s, "a.json", "/n", 9)
	verify(t, s)
}
