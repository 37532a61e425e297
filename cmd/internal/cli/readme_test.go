package cli

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateReadme = flag.Bool("update-readme", false, "print the exit codes into README.md")

// TestReadmeHasTheExitCodes: README.md has them as they are in the code. Run it with
// -update-readme to print them there.
func TestReadmeHasTheExitCodes(t *testing.T) {
	const name = "../../../README.md"
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	table := regexp.MustCompile(`(?s)(## Exit codes\n\n).*?(\n\n)`)
	require.Len(t, table.FindAllString(string(text), -1), 1)
	want := table.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(printedExits(), "$", "$$")+"${2}")
	if *updateReadme {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(text), "go test ./cmd/internal/cli -run TestReadmeHasTheExitCodes -update-readme prints them")
}

func printedExits() string {
	var b strings.Builder
	b.WriteString("| code | name | meaning |\n|---|---|---|\n")
	for code, e := range exits {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", code, e.name, e.meaning)
	}
	b.WriteString("| 130, 141, 143 | signal | ended by SIGINT, SIGPIPE or SIGTERM: nothing is half done |")
	return b.String()
}
