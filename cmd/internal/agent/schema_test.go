package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
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

// TestMemoryArguments: what is not as the schema says is refused, and nothing is changed.
func TestMemoryArguments(t *testing.T) {
	dir := t.TempDir()
	store, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	defer store.Close()
	memory, err := (&Memory{Store: store, File: "m.json"}).server()
	require.NoError(t, err)
	here, there := mcp.NewInMemoryTransports()
	_, err = memory.Connect(t.Context(), here, nil)
	require.NoError(t, err)
	client, err := mcp.NewClient(&mcp.Implementation{Name: "t"}, nil).Connect(t.Context(), there, nil)
	require.NoError(t, err)
	for _, c := range []struct{ tool, args, says string }{
		{"create_entities", `{"entities":[{"name":"A","entityType":"x","observations":[]},{"name":"B","entityType":"x"}]}`, "observations"},
		{"create_entities", `{}`, "entities"},
		{"create_relations", `{"relations":[{"from":"A","to":"B"}]}`, "relationType"},
		{"add_observations", `{"observations":[{"entityName":"A","contents":"one"}]}`, "array"},
		{"search_nodes", `{"query":5}`, "string"},
	} {
		r, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: c.tool, Arguments: json.RawMessage(c.args)})
		require.NoError(t, err)
		require.True(t, r.IsError, c.args)
		text := r.Content[0].(*mcp.TextContent).Text
		require.Contains(t, text, "the arguments: ")
		require.Contains(t, text, c.says)
	}
	_, err = os.Stat(filepath.Join(dir, "m.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
