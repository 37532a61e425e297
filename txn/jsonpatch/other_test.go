package jsonpatch

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

func TestWhatIsNoJSONIsNamed(t *testing.T) {
	var wide []byte
	for _, u := range utf16.Encode([]rune(`{"a": 1}`)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for text, want := range map[string]string{
		string(wide): "UTF-16", "\xff\xfe" + string(wide): "UTF-16", "{\"a\":1}\n{\"a\":2}\n": "NDJSON", "1\n\n2\n": "NDJSON",
		"{a: 1}": "JSON5", "{'a': 1}": "JSON5", `{"a": 'x'}`: "JSON5", `{"a": 0x1F}`: "JSON5", `{"a": .5}`: "JSON5", `{"a": NaN}`: "JSON5",
		"a: 1\nb: 2\n": "YAML", "---\na: 1\n": "YAML", `{"a": True}`: "Python", "[None]": "Python",
	} {
		_, err := Parse([]byte(text), Limits{})
		require.ErrorIs(t, err, ErrInvalid)
		require.ErrorContains(t, err, want, "%q", text)
	}
	for _, text := range []string{`{"a" 1}`, `{"a": tru}`, "{\n", `[1 2]`, "", "https://x", "-", "Truely"} {
		_, err := Parse([]byte(text), Limits{})
		require.NotRegexp(t, "UTF-16|NDJSON|JSON5|YAML|Python", err.Error(), "%q", text)
	}
}

func TestTooDeepSaysSoInShort(t *testing.T) {
	_, err := Parse([]byte(strings.Repeat(`{"member":`, 1001)+"1"+strings.Repeat("}", 1001)), Limits{})
	require.ErrorIs(t, err, ErrLimit)
	require.ErrorContains(t, err, "limit")
	require.Less(t, len(err.Error()), 200)
}

func TestComments(t *testing.T) {
	d := mustParse(t, "// a\n{\"x\": \"// no\", /* b */ \"y\": 1} // c")
	require.Equal(t, []string{"// a", "/* b */", "// c"}, d.Comments())
}
