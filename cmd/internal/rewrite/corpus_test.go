package rewrite

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var unsafeHeader = regexp.MustCompile(`(?m)^# unsafe: ([0-9]+)$`)

const tableHead = `# The corpus of scripts

TestCorpus rewrites each script, runs it before and after on the same data (as it is,
damaged and missing; in bash, and in dash where it is for sh), and fails unless both leave
the same files, print the same and exit with the same number. It compares this table too.

Two differences are meant. Where the text of the file is no JSON, jq 1.6 exits with 4, jq 1.7
and later with 5, as jtx does: 4 counts as 5 there. And jtx does not write over such a file
with echo's or cat's document, which would lose what it can't keep: it says so, and exits with 5.
A file that is missing behind < is an error of the shell: 1 in bash, as jtx's; 2 in dash.
What jq and mv can't meet (a lock that is held, a lost race, a damaged journal) has jtx's codes.

| Script | Unsafe | Rewritten | As | Listed, and why |
|---|---|---|---|---|
`

// TestCorpus rewrites scripts as people have them. The header of each says how many
// unsafe writes a person counted in it.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.sh")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60)
	unsafe, done := 0, 0
	table := tableHead
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		text := string(data)
		header := unsafeHeader.FindStringSubmatch(text)
		require.NotNil(t, header, file)
		n, err := strconv.Atoi(header[1])
		require.NoError(t, err)
		res, err := Script(text)
		require.NoError(t, err, file)
		rewritten, listed := 0, 0
		var idioms, reasons []string
		for _, f := range res.Findings {
			if f.Verdict == Done {
				rewritten++
				idioms = append(idioms, f.Idiom)
			} else {
				listed++
				require.NotEmpty(t, f.Reason, file)
				reasons = append(reasons, fmt.Sprintf("line %d, %s: %s", f.Line, f.Verdict, f.Reason))
			}
		}
		require.GreaterOrEqual(t, rewritten+listed, n, "%s: an unsafe write is neither rewritten nor listed\n%s", file, res.Text)
		require.LessOrEqual(t, rewritten, n, "%s: something safe is rewritten\n%s", file, res.Text)
		unsafe += n
		done += rewritten
		cell := strings.NewReplacer("|", `\|`).Replace
		table += fmt.Sprintf("| %s | %d | %d | %s | %s |\n", filepath.Base(file), n, rewritten, cell(strings.Join(idioms, "; ")), cell(strings.Join(reasons, "; ")))
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			stable(t, res)
			compare(t, text, res.Text)
		})
	}
	table += fmt.Sprintf("\n%d scripts, %d unsafe writes, %d rewritten.\n", len(files), unsafe, done)
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile("testdata/CORPUS.md", []byte(table), 0o644))
	}
	want, err := os.ReadFile("testdata/CORPUS.md")
	require.NoError(t, err)
	require.Equal(t, string(want), table, "UPDATE=1 go test -run TestCorpus writes the table anew")
}

// stable demands that nothing reported as done is found in the rewritten script.
func stable(t *testing.T, res Result) {
	t.Helper()
	again, err := Script(res.Text)
	require.NoError(t, err)
	for _, f := range again.Findings {
		require.NotEqual(t, Done, f.Verdict, "%d: %s", f.Line, f.Original)
	}
}
