package oplog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

func TestOperationLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := &Log{Verb: "test", Site: &workspace.Site{Dir: dir, FS: fsys.OS, Boot: wal.BootID(), Locks: lockmgr.Default, LockTimeout: time.Minute}}
	ctx := context.Background()
	require.NoError(t, s.ChangeSettings(ctx, func(_ string, values map[string]json.RawMessage) error {
		values[SettingLogBytes] = json.RawMessage(fmt.Sprint(MinLogBytes))
		return nil
	}))
	for range 1500 {
		s.appendOperation(filepath.Join(dir, workspace.MetaDir), Operation{Time: time.Now().UTC(), Verb: "x", Outcome: "ok"},
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

// TestOperationLineIsJSON: what is written without encoding/json is read by it.
func TestOperationLineIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Operation{
			Time: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			Verb: rapid.String().Draw(t, "verb"), Actor: rapid.String().Draw(t, "actor"), TX: rapid.String().Draw(t, "tx"),
			Files: rapid.SliceOf(rapid.String()).Draw(t, "files"), Outcome: rapid.String().Draw(t, "outcome"), Error: rapid.String().Draw(t, "error"),
			WaitMicros: rapid.Int64().Draw(t, "wait"), TotalMicros: rapid.Int64().Draw(t, "total"),
		}
		line := want.Line()
		require.Equal(t, len(line)-1, bytes.IndexByte(line, '\n'))
		var got Operation
		require.NoError(t, json.Unmarshal(line, &got))
		require.Equal(t, want, got)
		var names, wanted map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(line, &names))
		text, err := json.Marshal(want)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &wanted))
		require.ElementsMatch(t, slices.Collect(maps.Keys(wanted)), slices.Collect(maps.Keys(names)))
	})
}

// TestFormatIsReadAsJSON: the text of a new workspace, which is read without
// encoding/json, means to that what was written.
func TestFormatIsReadAsJSON(t *testing.T) {
	for _, tree := range []bool{true, false} {
		want := workspace.NewFormat(tree)
		var fast, slow workspace.Format
		require.NoError(t, fast.Decode([]byte(want.Text())))
		require.NoError(t, json.Unmarshal([]byte(want.Text()), &slow))
		require.Equal(t, want, fast)
		require.Equal(t, want, slow)
	}
	for text, ok := range map[string]bool{
		`{"format":1,"id":"x","tree":true,"needs":["a"]}`: true, `{"format":`: false, `"id":"`: false, ``: false, `{"id":"a\","tree":true}`: false,
	} {
		var got, want workspace.Format
		require.Equal(t, ok, got.Decode([]byte(text)) == nil, text)
		require.Equal(t, ok, json.Unmarshal([]byte(text), &want) == nil, text)
		require.Equal(t, want, got)
	}
}
