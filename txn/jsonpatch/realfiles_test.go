package jsonpatch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readReal(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/real", name))
	require.NoError(t, err)
	return data
}

// lineDiff counts lines as git diff --numstat does.
func lineDiff(a, b []byte) (added, removed int) {
	ids := map[string]uint64{}
	number := func(text []byte) (seq []uint64) {
		for line := range strings.Lines(string(text)) {
			id, ok := ids[line]
			if !ok {
				id = uint64(len(ids))
				ids[line] = id
			}
			seq = append(seq, id)
		}
		return seq
	}
	keepA, keepB := common(number(a), number(b))
	for _, keep := range keepA {
		if !keep {
			removed++
		}
	}
	for _, keep := range keepB {
		if !keep {
			added++
		}
	}
	return added, removed
}

// Every one of these is a change to one field, and one line of a git diff.
func TestOneFieldIsOneLine(t *testing.T) {
	for _, c := range []struct {
		file, patch    string
		added, removed int
	}{
		{"package-lock.json", `[{"op":"replace","path":"/packages/node_modules~1express/version","value":"4.99.0"}]`, 1, 1},
		{"package-lock.json", `[{"op":"replace","path":"/version","value":"4.2.2"}]`, 1, 1},
		{"package-lock.json", `[{"op":"remove","path":"/packages/node_modules~1express/license"}]`, 0, 1},
		{"package-lock.json", `[{"op":"add","path":"/packages/node_modules~1express/bundled","value":true}]`, 2, 1},
		{"tsconfig.json", `[{"op":"replace","path":"/compilerOptions/target","value":"es2022"}]`, 1, 1},
		{"tsconfig.json", `[{"op":"replace","path":"/compilerOptions/strict","value":false}]`, 1, 1},
		{"tsconfig.json", `[{"op":"remove","path":"/compilerOptions/module"}]`, 0, 2},
		{"vscode-settings.json", `[{"op":"replace","path":"/editor.tabSize","value":2}]`, 1, 1},
		{"vscode-settings.json", `[{"op":"replace","path":"/editor.rulers/1","value":100}]`, 1, 1},
		{"vscode-settings.json", `[{"op":"replace","path":"/editor.codeActionsOnSave/source.fixAll.eslint","value":"never"}]`, 1, 1},
		{"vscode-settings.json", `[{"op":"remove","path":"/editor.codeActionsOnSave/source.fixAll.eslint"}]`, 0, 1},
		{"vscode-settings.json", `[{"op":"add","path":"/editor.minimap.enabled","value":false}]`, 1, 0},
		{"vscode-settings.json", `[{"op":"add","path":"/files.exclude/**~1out","value":true}]`, 1, 0},
		{"composer.json", `[{"op":"replace","path":"/version","value":"6.8.7"}]`, 1, 1},
		{"composer.json", `[{"op":"replace","path":"/keywords/2","value":"rich-text"}]`, 1, 1},
		{"composer.json", `[{"op":"remove","path":"/keywords/0"}]`, 0, 1},
		{"composer.json", `[{"op":"add","path":"/keywords/0","value":"wysiwyg editor"}]`, 1, 0},
		{"package-crlf.json", `[{"op":"replace","path":"/version","value":"1.4.19"}]`, 1, 1},
		{"package-crlf.json", `[{"op":"add","path":"/keywords/1","value":"login"}]`, 1, 0},
		{"oneline.json", `[{"op":"replace","path":"/objects/land/type","value":"Polygon"}]`, 1, 1},
		{"oneline.json", `[{"op":"add","path":"/name","value":"land"}]`, 1, 1},
		{"oneline.json", `[{"op":"remove","path":"/transform"}]`, 1, 1},
		{"countries.geojson", `[{"op":"replace","path":"/features/3/properties/name","value":"Kanada"}]`, 1, 1},
		{"countries.geojson", `[{"op":"replace","path":"/features/3/geometry/coordinates/0/0/0/1","value":48.5}]`, 1, 1},
		{"countries.geojson", `[{"op":"remove","path":"/features/3"}]`, 0, 1},
		{"countries.geojson", `[{"op":"add","path":"/features/3/properties/iso","value":"CA"}]`, 1, 1},
		{"state/agent.json", `[{"op":"replace","path":"/step","value":18}]`, 1, 1},
		{"state/agent.json", `[{"op":"replace","path":"/queue/1/done","value":true}]`, 1, 1},
		{"state/agent.json", `[{"op":"replace","path":"/budget/used","value":84999}]`, 1, 1},
		{"state/sync.json", `[{"op":"replace","path":"/offsets/inbox","value":120935}]`, 1, 1},
		{"state/bom-crlf.json", `[{"op":"replace","path":"/version","value":4}]`, 1, 1},
		{"state/bom-crlf.json", `[{"op":"add","path":"/servers/-","value":"c"}]`, 1, 1},
		{"state/counter.json", `[{"op":"replace","path":"","value":4}]`, 1, 1},
	} {
		t.Run(c.file+" "+c.patch, func(t *testing.T) {
			d := mustParse(t, string(readReal(t, c.file)))
			p := mustPatch(t, c.patch)
			after, splices, err := d.Apply(p, Limits{})
			require.NoError(t, err)
			added, removed := lineDiff(d.Bytes(), after.Bytes())
			require.Equal(t, [2]int{c.added, c.removed}, [2]int{added, removed})
			checkBytes(t, d, after, splices)
			checkSplices(t, d, p)
			checkDiff(t, d, after)
			require.Equal(t, bytes.Count(d.Bytes(), []byte("\r\n")) == bytes.Count(d.Bytes(), []byte("\n")),
				bytes.Count(after.Bytes(), []byte("\r\n")) == bytes.Count(after.Bytes(), []byte("\n")), "line ends are mixed")
		})
	}
}

// A replacement and its undoing, and a removal and its undoing by splices, leave
// no trace, and a patch found by Diff is as local as the one that was made.
func TestRealFilesRoundTrip(t *testing.T) {
	r := newRand(t)
	files, err := filepath.Glob("testdata/real/*.*json")
	require.NoError(t, err)
	state, err := filepath.Glob("testdata/real/state/*")
	require.NoError(t, err)
	for _, file := range append(files, state...) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		d := mustParse(t, string(data))
		all := pointers(d)
		for range 20 {
			g := randGen(r)
			at := all[r.IntN(len(all))]
			p := Patch{{Op: []string{"replace", "remove"}[r.IntN(2)], Path: at}}
			if len(at) == 0 {
				continue
			}
			if p[0].Op == "replace" {
				p[0].Value = []byte(g.value(genLayout{}.compact()))
			}
			after, splices, err := d.Apply(p, Limits{})
			require.NoError(t, err, "%s: %s", file, p.Encode())
			checkBytes(t, d, after, splices)
			checkDiff(t, d, after)
			same, err := ApplySplices(after.Bytes(), reversed(splices))
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, same))
		}
	}
}
