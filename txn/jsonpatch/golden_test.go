package jsonpatch

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what patches make into testdata/golden instead of comparing")

// The files below testdata/golden freeze how patches are rendered. Recovery
// replays a journal and compares hashes, so the same patch on the same bytes has
// to make the same bytes for as long as the format has its number. Format 1 is
// frozen when 0.1.0 is tagged; from then on a difference here is a bug, or needs
// a new format beside the old one.
//
// A file is a txtar archive: "patch" (or "merge") and "before" are given,
// "after" is what they make; "error" stands there instead where the patch is
// refused. Bytes that a text file can't show are written as in Go: \r, \ufeff;
// a backslash at the end of the last line says that no line end follows.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			checkGolden(t, file, splitArchive(string(data)))
		})
	}
}

// A section of a txtar archive: what follows a line "-- name --". What stands
// before the first is a comment, with an empty name.
type section struct{ name, text string }

func splitArchive(text string) (sections []section) {
	sections = []section{{}}
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(name, " --\n") {
			sections = append(sections, section{name: strings.TrimSuffix(name, " --\n")})
			continue
		}
		sections[len(sections)-1].text += line
	}
	return sections
}

func checkGolden(t *testing.T, file string, archive []section) {
	parts := map[string][]byte{}
	rewritten := archive[0].text
	for _, s := range archive[1:] {
		parts[s.name] = []byte(s.text)
		if s.name != "after" && s.name != "error" {
			rewritten += "-- " + s.name + " --\n" + s.text
		}
	}
	name, after := renderGolden(t, parts)
	if *update {
		rewritten += "-- " + name + " --\n" + string(showGolden(after))
		require.NoError(t, os.WriteFile(file, []byte(rewritten), 0o644))
		return
	}
	want, ok := parts[name]
	require.True(t, ok, "made %s: %s", name, after)
	require.Equal(t, string(want), string(showGolden(after)))
}

func renderGolden(t *testing.T, parts map[string][]byte) (name string, text []byte) {
	d := mustParse(t, string(readGolden(parts["before"])))
	var p Patch
	var err error
	if merge, ok := parts["merge"]; ok {
		p, err = d.MergePatch(merge, Limits{})
	} else {
		p, err = DecodePatch(parts["patch"], Limits{})
	}
	var after *Document
	var splices []Splice
	if err == nil {
		after, splices, err = d.Apply(p, Limits{})
	}
	if err != nil {
		return "error", []byte(err.Error() + "\n")
	}
	checkBytes(t, d, after, splices)
	checkSplices(t, d, p)
	return "after", after.Bytes()
}

func readGolden(shown []byte) []byte {
	text := bytes.ReplaceAll(shown, []byte(`\r`+"\n"), []byte("\r\n"))
	text = bytes.TrimSuffix(text, []byte("\\\n"))
	if rest, ok := bytes.CutPrefix(text, []byte(`\ufeff`)); ok {
		text = append([]byte("\ufeff"), rest...)
	}
	return text
}

func showGolden(text []byte) []byte {
	if rest, ok := bytes.CutPrefix(text, []byte("\ufeff")); ok {
		text = append([]byte(`\ufeff`), rest...)
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte(`\r`+"\n"))
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(bytes.Clone(text), "\\\n"...)
	}
	return text
}
