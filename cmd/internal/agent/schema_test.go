package agent

import (
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
)

// TestSchemas: what clients are shown is what stands in the golden files.
func TestSchemas(t *testing.T) {
	store, err := txn.Open(t.TempDir(), txn.Options{})
	require.NoError(t, err)
	f, err := newFiles(Config{Open: func(dir string) (*txn.Store, error) { return txn.Open(dir, txn.Options{}) }, Roots: []string{t.TempDir()}})
	require.NoError(t, err)
	files, err := f.server()
	require.NoError(t, err)
	memory, err := (&Memory{Store: store, File: "m.json"}).server()
	require.NoError(t, err)
	for _, c := range []struct {
		server *mcp.Server
		golden []byte
	}{{files, fileTools}, {memory, memoryTools}} {
		here, there := mcp.NewInMemoryTransports()
		_, err := c.server.Connect(t.Context(), here, nil)
		require.NoError(t, err)
		client, err := mcp.NewClient(&mcp.Implementation{Name: "t"}, nil).Connect(t.Context(), there, nil)
		require.NoError(t, err)
		list, err := client.ListTools(t.Context(), nil)
		require.NoError(t, err)
		have := map[string]json.RawMessage{}
		for _, tool := range list.Tools {
			have[tool.Name], err = json.Marshal(tool)
			require.NoError(t, err)
		}
		var want []json.RawMessage
		require.NoError(t, json.Unmarshal(c.golden, &want))
		require.Len(t, have, len(want))
		for _, text := range want {
			var tool struct{ Name string }
			require.NoError(t, json.Unmarshal(text, &tool))
			require.JSONEq(t, string(text), string(have[tool.Name]))
		}
	}
}
