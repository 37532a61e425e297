package rewrite

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

var unsafeHeader = regexp.MustCompile(`(?m)^# unsafe: ([0-9]+)$`)

// TestCorpus rewrites scripts as people have them. The header of each says how many
// unsafe writes a person counted in it.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.sh")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60)
	unsafe, done := 0, 0
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
		for _, f := range res.Findings {
			if f.Verdict == Done {
				rewritten++
			} else {
				listed++
				require.NotEmpty(t, f.Reason, file)
				t.Logf("%s:%d: %s: %s", filepath.Base(file), f.Line, f.Verdict, f.Reason)
			}
		}
		require.GreaterOrEqual(t, rewritten+listed, n, "%s: an unsafe write is neither rewritten nor listed\n%s", file, res.Text)
		require.LessOrEqual(t, rewritten, n, "%s: something safe is rewritten\n%s", file, res.Text)
		unsafe += n
		done += rewritten
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			stable(t, res)
			compare(t, text, res.Text)
		})
	}
	t.Logf("%d of %d unsafe writes rewritten", done, unsafe)
	require.GreaterOrEqual(t, done*10, unsafe*8)
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
