package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What jq 1.6 does otherwise than later ones, and than jtx update, is left to the jq
// that is installed. Each was run by jq 1.6 and by jtx update, and differed.
func TestOtherInOlderJQ(t *testing.T) {
	for _, program := range []string{
		`.x = (.s * 0)`, `.s *= 0.5`, `.x = (1e19 % 7)`, `.x = (" 5" | tonumber)`, `.x = ("1e1000" | tonumber)`, `.l |= map_values(empty)`,
		`.l[] |= empty`, `.l[] |= select(. > 1)`, `.x = (.s | reverse)`, `.x = 12345678901234567890`, `.x = 1e1000`, `.x = (try .s.y catch .)`,
		`.x = (null | error)`, `if .t then .x = 1 end`, `.x.["y"] = 1`, `.x = "\ud800"`, `.x = {a: 1 + 1}`, `.x = {a: .n // 2}`, `.x = ("é,b" | index("b"))`,
		`.x = ([{"key": 1}] | from_entries)`, `.l |= with_entries(.)`, `.x = (.s | contains("\u0000"))`,
	} {
		script := `jq '` + program + `' f.json > t && mv t f.json`
		res, err := Script(script)
		require.NoError(t, err)
		require.Equal(t, `jtx pipe -q f.json -- jq '`+program+`' f.json`, res.Text)
	}
	for _, program := range []string{
		`.x = 1.5`, `. * {a: 1}`, `.o *= {a: 1}`, `.l |= sort`, `if .t then .x = 1 else . end`, `.x = {a: 1, b: (1 + 1)}`, `.n += 1`, `.x = (.s.y? // 1)`,
	} {
		res, err := Script(`jq '` + program + `' f.json > t && mv t f.json`)
		require.NoError(t, err)
		require.Equal(t, `jtx update -q f.json '`+program+`' --jq-exit`, res.Text)
	}
}
