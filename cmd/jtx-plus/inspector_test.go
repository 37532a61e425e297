package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInspector calls each tool by the command line of the protocol's own inspector, where
// that is in PATH (npm install -g @modelcontextprotocol/inspector).
func TestInspector(t *testing.T) {
	inspector, err := exec.LookPath("mcp-inspector")
	if err != nil {
		t.Skip("no mcp-inspector")
	}
	dir := t.TempDir()
	var servers = []struct {
		args  []string
		calls [][]string
	}{
		{[]string{dir}, [][]string{
			{"json_change", `changes=[{"file":"a.json","set":{"/n":1}},{"file":"a.json","set":{"/n":2}}]`, "why=two steps"},
			{"json_change", `changes=[{"file":"a.json","merge":{"m":[1,2]}}]`, `if_rev={"a.json":1}`},
			{"json_read", "file=a.json", "pointer=/m/1"},
			{"json_history", "file=a.json", "number=1"},
			{"json_diff", "file=a.json", "from=1"},
			{"json_search", "program=.m[]"},
			{"json_status"},
		}},
		{[]string{"--memory", filepath.Join(dir, "m.json")}, [][]string{
			{"create_entities", `entities=[{"name":"Ada","entityType":"person","observations":[]},{"name":"Bo","entityType":"person","observations":["sings"]}]`},
			{"create_relations", `relations=[{"from":"Ada","to":"Bo","relationType":"knows"}]`},
			{"add_observations", `observations=[{"entityName":"Ada","contents":["counts"]}]`},
			{"read_graph"}, {"search_nodes", "query=sing"}, {"open_nodes", `names=["Ada"]`},
			{"delete_observations", `deletions=[{"entityName":"Ada","observations":["counts"]}]`},
			{"delete_relations", `relations=[{"from":"Ada","to":"Bo","relationType":"knows"}]`},
			{"delete_entities", `entityNames=["Bo"]`},
		}},
	}
	for _, s := range servers {
		for _, call := range s.calls {
			out := inspect(t, inspector, s.args, call)
			require.NotContains(t, out, `"isError": true`)
		}
	}
	var entry struct{ TX string }
	log := exec.Command("jtx", "-C", dir, "log", "--json", "-n", "1", "a.json")
	out, err := log.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &entry))
	require.Contains(t, inspect(t, inspector, []string{dir}, []string{"json_undo", "tx=" + entry.TX}), `"rev": 3`)
	data, err := os.ReadFile(filepath.Join(dir, "a.json"))
	require.NoError(t, err)
	require.JSONEq(t, `{"n": 2}`, string(data))
}

func inspect(t *testing.T, inspector string, server, call []string) string {
	t.Helper()
	args := append([]string{"--cli", "jtx", "mcp"}, server...)
	args = append(args, "--method", "tools/call", "--tool-name", call[0])
	for _, arg := range call[1:] {
		args = append(args, "--tool-arg", arg)
	}
	out, err := exec.Command(inspector, args...).CombinedOutput()
	require.NoError(t, err, "%v: %s", call, out)
	return string(out)
}
