package txn

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOperationLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{Verb: "test", Durability: None})
	require.NoError(t, err)
	ctx := context.Background()
	require.NoError(t, s.ChangeSettings(ctx, func(_ string, values map[string]json.RawMessage) error {
		values[SettingLogBytes] = json.RawMessage(fmt.Sprint(MinLogBytes))
		return nil
	}))
	for range 1500 {
		s.appendOperation(filepath.Join(dir, metaDir), Operation{Time: now(), Verb: "x", Outcome: "ok"},
			&logged{root: dir, files: []loggedFile{{rel: "a.json", named: true, read: true}}})
	}
	parts, err := filepath.Glob(filepath.Join(dir, ".jtx/log/*"))
	require.NoError(t, err)
	var total int64
	for _, p := range parts {
		info, err := os.Stat(p)
		require.NoError(t, err)
		total += info.Size()
	}
	require.Greater(t, len(parts), 2)
	require.LessOrEqual(t, total, int64(MinLogBytes+MinLogBytes/logParts+1000))
	ops, err := s.Operations(time.Time{})
	require.NoError(t, err)
	require.NotEmpty(t, ops)
	require.Equal(t, filepath.Join(dir, "a.json"), ops[0].Files[0])
}
