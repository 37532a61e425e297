package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The number that jq fails with is kept where something can see it, and only there.
func TestNumberCounts(t *testing.T) {
	const write = `jq .a=1 f.json > t && mv t f.json`
	for script, counts := range map[string]bool{
		write:                              true, // the script's own
		write + "\necho done":              false,
		"set -e\n" + write + "\necho done": false, // set -e doesn't look at the left side of &&
		"set -e\njq .a=1 f.json > t\nmv t f.json\n":  true,
		"if " + write + "; then echo yes; fi":        false,
		"if " + write + "; then :; else echo $?; fi": true,
		write + " || echo no":                        false,
		write + " || exit":                           true,
		write + " || exit 3":                         false,
		write + " || { rc=$?; echo $rc; }":           true,
		write + "\necho $?":                          true,
		write + "\nif [ $? -ne 0 ]; then exit 1; fi": false,
		"f() { " + write + "; }\nf; echo done":       true, // who calls it may look
		"for i in 1 2; do " + write + "; done":       true,
		"! { " + write + "; }":                       false,
	} {
		res, err := Script(script)
		require.NoError(t, err)
		if counts {
			require.Contains(t, res.Text, "--jq-exit", script)
		} else {
			require.NotContains(t, res.Text, "--jq-exit", script)
		}
		require.Contains(t, res.Text, "jtx update -q f.json .a=1", script)
	}
}
