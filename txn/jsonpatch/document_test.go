package jsonpatch

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseKeepsBytes(t *testing.T) {
	for _, text := range []string{"null", " \r\n1.0\t", "\ufeff{}", `"\u0061\ud83d\ude00"`, "[1e400,-0]", "{\"\":1,\" \":2}"} {
		d, err := Parse([]byte(text), Limits{})
		require.NoError(t, err)
		require.Equal(t, Strict, d.Syntax())
		require.Equal(t, text, string(d.Bytes()))
	}
}

// Where text is wrong, the error says where.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		name, text      string
		line, column    int
		offset          int64
		pointer, msg    string
		snippet, caretY string
	}{
		{"empty", "", 1, 1, 0, "", "unexpected end", "", "^"},
		{"only space", " \n ", 2, 2, 3, "", "unexpected end", " ", " ^"},
		{"cut off", `{"a": [1`, 1, 9, 8, "/a", "unexpected end", `{"a": [1`, "        ^"},
		{"word", "[1, nul]", 1, 8, 7, "/1", "'l'", "[1, nul]", "       ^"},
		{"missing comma", "{\n\t\"a\": 1\n\t\"é\": 2\n}", 3, 2, 11, "", "expecting ','", "\t\"é\": 2", "\t^"},
		{"runes, not bytes", `["éé" 1]`, 1, 7, 8, "", "expecting ','", `["éé" 1]`, "      ^"},
		{"CRLF", "[\r\n1,\r\n,]", 3, 1, 7, "/1", "start of value", ",]", "^"},
		{"behind the value", "{} x", 1, 4, 3, "", "expected the end", "{} x", "   ^"},
		{"second value", "1 2", 1, 3, 2, "", "expected the end", "1 2", "  ^"},
		{"BOM counts for the offset only", "\ufeff[x]", 1, 2, 4, "/0", "'x'", "[x]", " ^"},
		{"second BOM", "\ufeff\ufeff1", 1, 1, 3, "", "start of value", "\ufeff1", "^"},
		{"duplicate", `{"a":{"b":1,"b":2}}`, 1, 13, 12, "/a/b", `duplicate member name "b"`, `{"a":{"b":1,"b":2}}`, "            ^"},
		{"duplicate by escapes", `{"a":1,"\u0061":2}`, 1, 8, 7, "/a", `duplicate member name "a"`, `{"a":1,"\u0061":2}`, "       ^"},
		{"invalid UTF-8", "[\"a\xff\"]", 1, 4, 3, "/0", "UTF-8", "[\"a\ufffd\"]", "   ^"},
		{"overlong UTF-8", "\"\xc0\xaf\"", 1, 2, 1, "", "UTF-8", "\"\ufffd\ufffd\"", " ^"},
		{"control character", "\"a\x01\"", 1, 3, 2, "", "in string", "\"a\ufffd\"", "  ^"},
		{"leading zero", "[01]", 1, 3, 2, "", "expecting ','", "[01]", "  ^"},
		{"comment that stays open", "[1] /* x", 1, 5, 4, "", "not closed", "[1] /* x", "    ^"},
		{"comment in what is wrong", "// é\n[1 2]", 2, 4, 9, "", "expecting ','", "[1 2]", "   ^"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), Limits{})
			if strings.HasPrefix(c.name, "duplicate") { // which is accepted where it stands already
				require.NoError(t, err)
				_, err = ParseStrict([]byte(c.text), Limits{})
			}
			require.ErrorIs(t, err, ErrInvalid)
			var typed *SyntaxError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, c.snippet+"\n"+c.caretY, typed.Snippet)
			require.Equal(t, [2]int{c.line, c.column}, [2]int{typed.Line, typed.Column})
			require.Equal(t, c.offset, typed.Offset)
			require.Equal(t, c.pointer, typed.Pointer)
			require.Contains(t, typed.Msg, c.msg)
		})
	}
}

func TestSnippetIsCut(t *testing.T) {
	text := `["` + strings.Repeat("é", 500) + `" 1, "` + strings.Repeat("x", 500) + `"]`
	_, err := Parse([]byte(text), Limits{})
	var typed *SyntaxError
	require.ErrorAs(t, err, &typed)
	line, caret, _ := strings.Cut(typed.Snippet, "\n")
	require.Len(t, []rune(line), 80)
	require.Equal(t, '1', []rune(line)[len(caret)-1])
}

func TestLimits(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	_, err := Parse(nested(1000), Limits{})
	require.NoError(t, err)
	for _, c := range []struct {
		text []byte
		lim  Limits
	}{
		{nested(1001), Limits{}},
		{nested(3), Limits{MaxDepth: 2}},
		{append(nested(1001), " // x\n"...), Limits{}},
		{nested(20_000), Limits{MaxDepth: 1 << 30}},
		{[]byte(strings.Repeat(" ", 10) + "1"), Limits{MaxBytes: 10}},
	} {
		_, err := Parse(c.text, c.lim)
		require.ErrorIs(t, err, ErrLimit)
		require.False(t, errors.Is(err, ErrInvalid))
	}
	_, err = Parse([]byte(`{"a": [1, {"b": [[]]}]}`), Limits{MaxDepth: 4})
	var typed *SyntaxError
	require.ErrorAs(t, err, &typed)
	require.Equal(t, int64(17), typed.Offset)
	require.Equal(t, "/a/1/b/0", typed.Pointer)
	_, err = Parse(nested(10_000), Limits{MaxDepth: 10_000})
	require.NoError(t, err)
}

func TestGet(t *testing.T) {
	_, err := Trusted([]byte("[[], 1, [2, 3]]"), Strict).Get(Pointer{"0", "1"})
	require.ErrorIs(t, err, ErrNotFound)
	d, err := Parse([]byte("\ufeff{\"a\": [1, {\"x\": /* y */ [ 2 ] }], \"\": \"e\", \"\\u0062\": 1.0, \"n\": null}"), Limits{})
	require.NoError(t, err)
	for pointer, want := range map[string]string{
		"/a/0": "1", "/a/1": "{\"x\": /* y */ [ 2 ] }", "/a/1/x": "[ 2 ]", "/a/1/x/0": "2", "/": `"e"`, "/b": "1.0", "/n": "null",
		"": string(d.Bytes()[3:]),
	} {
		p, err := ParsePointer(pointer)
		require.NoError(t, err)
		got, err := d.Get(p)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, pointer := range []string{"/c", "/a/2", "/a/-", "/a/01", "/a/x", "/b/0", "//0", "/n/x", "/a/1/x/1", "/A"} {
		p, err := ParsePointer(pointer)
		require.NoError(t, err)
		_, err = d.Get(p)
		require.ErrorIs(t, err, ErrNotFound)
		var typed *OpError
		require.ErrorAs(t, err, &typed)
		require.Equal(t, pointer, typed.Pointer)
		require.Equal(t, "get", typed.Op)
	}
}

// Text that was trusted wrongly must do no harm: nothing panics or hangs.
func TestTrustedWrongly(t *testing.T) {
	const seed = 5
	r := rand.New(rand.NewPCG(seed, seed))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	pointer := func() (p Pointer) {
		for range r.IntN(4) {
			p = append(p, pick("a", "b", "0", "1", "-", ""))
		}
		return p
	}
	for range 30_000 {
		var text []byte
		for range r.IntN(20) {
			text = append(text, pick("{", "}", "[", "]", ",", ":", `"`, `"a"`, `"b"`, "1", "null", "//", "/*", "*/", "\n", " ", "\\", "\x00", "\r", "\ufeff", "é")...)
		}
		d := Trusted(text, Syntax(r.IntN(3)))
		var p Patch
		for range 1 + r.IntN(5) {
			p = append(p, Operation{
				Op:    pick("add", "add", "replace", "remove", "move", "copy", "test"),
				Path:  pointer(),
				From:  pointer(),
				Value: []byte(pick("1", "{}", "[1]", `{"a":[{}]}`)),
			})
		}
		_, _ = d.Get(p[0].Path)
		_, _, _ = d.Apply(p, Limits{})
		_, _ = d.MergePatch([]byte(`{"a":{"b":{"c":null}},"b":null}`), Limits{})
		_ = Compact(text)
		_ = equalText(text, []byte(`{"a":[1,{"b":2}],"b":"x"}`))
		_ = equalText(text, append([]byte(" "), text...))
		for _, op := range p {
			if next, _, err := d.Apply(Patch{op}, Limits{}); err == nil {
				d = next
			}
		}
	}
}

// What is known of a text must not change what an edit of it gives: history is
// replayed from texts of which nothing is known but that they are valid.
func TestEditsDoNotDependOnHowADocumentWasMade(t *testing.T) {
	patch := Patch{
		{Op: "add", Path: Pointer{"e", "x"}, Value: []byte(`{"y":[1,{"z":2}]}`)},
		{Op: "add", Path: Pointer{"b", "-"}, Value: []byte(`{"q":1}`)},
	}
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for _, comment := range []string{"", "// c\n", "/* c */"} {
			text := []byte("{" + end + comment + "  \"e\": {}," + end + "  \"b\": [" + end + "  ]" + end + "}" + end)
			parsed, err := Parse(text, Limits{})
			require.NoError(t, err)
			want, _, err := parsed.Apply(patch, Limits{})
			require.NoError(t, err)
			trusted := Trusted(text, JSONC)
			require.Equal(t, parsed.Syntax(), trusted.Syntax())
			got, _, err := trusted.Apply(patch, Limits{})
			require.NoError(t, err)
			require.Equal(t, string(want.Bytes()), string(got.Bytes()))
			require.Equal(t, want.Syntax(), got.Syntax())
		}
	}
}
