package jsonpatch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// realTexts are the real files, and one of 2 MB on one line.
func realTexts(t testing.TB) map[string]string {
	texts := map[string]string{}
	for _, pattern := range []string{"testdata/real/*.*json", "testdata/real/*.jsonc", "testdata/real/state/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			texts[file] = string(data)
		}
	}
	texts["one line of 2 MB"] = "[" + strings.Repeat(`{"id": 1, "tags": ["a", "b"], "x": 1.50},`, 50_000) + "null]"
	return texts
}

// A careful editor changes one line for one scalar, loses no comment, and gives the
// value that the plain rendering gives. What is changed there and back, as a whole new
// value, leaves no trace.
func TestEditsOfRealFiles(t *testing.T) {
	r := newRand(t)
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for name, text := range realTexts(t) {
		d := mustParse(t, text)
		all := pointers(d)
		if len(text) > 1<<20 {
			rounds = min(rounds, 3)
		}
		for range rounds {
			at := all[r.IntN(len(all))]
			if len(at) == 0 || slices.Contains([]string{"id", "name", "key"}, at[len(at)-1]) {
				continue // what has another name is another element
			}
			old, err := d.Get(at)
			require.NoError(t, err)
			p := Patch{{Op: "replace", Path: at, Value: []byte(`"another text"`)}}
			if isOpen(old) && old[0] == '{' {
				p = Patch{{Op: "add", Path: append(at[:len(at):len(at)], "a new name"), Value: []byte(`1.0`)}}
			}
			after := checkEdit(t, d, p)
			added, removed := lineDiff(d.Bytes(), after.Bytes())
			if !isOpen(old) {
				require.LessOrEqual(t, added, 1, "%s %s", name, p.Encode())
				require.LessOrEqual(t, removed, 1, "%s %s", name, p.Encode())
			}
			if !isOpen(old) || old[0] == '{' {
				require.Subset(t, after.Comments(), d.Comments())
			}
			back, err := after.Revise(Revision{Text: Compact(d.Bytes())}, Style{}, Limits{})
			require.NoError(t, err)
			require.True(t, d.SameValue(back.Doc))
			if !isOpen(old) {
				require.Len(t, back.Doc.Comments(), len(d.Comments()))
				require.Equal(t, strings.Count(text, "\n"), strings.Count(string(back.Doc.Bytes()), "\n"), "%s %s", name, p.Encode())
			}
		}
	}
}
