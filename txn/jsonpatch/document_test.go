package jsonpatch

import (
	"errors"
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
		{"lone surrogate", `["\ud800"]`, 1, 3, 2, "/0", "surrogate", `["\ud800"]`, "  ^"},
		{"invalid UTF-8", "[\"a\xff\"]", 1, 4, 3, "/0", "UTF-8", "[\"a\ufffd\"]", "   ^"},
		{"overlong UTF-8", "\"\xc0\xaf\"", 1, 2, 1, "", "UTF-8", "\"\ufffd\ufffd\"", " ^"},
		{"control character", "\"a\x01\"", 1, 3, 2, "", "in string", "\"a\ufffd\"", "  ^"},
		{"leading zero", "[01]", 1, 3, 2, "", "expecting ','", "[01]", "  ^"},
		{"comment that stays open", "[1] /* x", 1, 5, 4, "", "not closed", "[1] /* x", "    ^"},
		{"comment in what is wrong", "// é\n[1 2]", 2, 4, 9, "", "expecting ','", "[1 2]", "   ^"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), Limits{})
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

// Text that was trusted wrongly must do no harm.
func TestTrustedWrongly(t *testing.T) {
	patch := func(ops ...Operation) Patch { return ops }
	for _, text := range []string{
		"", " ", "{", "[", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a" 1}`, `{a:1}`, "[1", "[1,", "[,", "[1 2]", "[1:2]", "]", "}", `"`, `"\`,
		"[}", "{]", "[/", "[1/*", "[1//", "{\"a\":[1,}", "\ufeff", "[[[[", "{\"a\":{\"a\":{\"a\":", "[1,2}", "nul", "\\", "{\"a\":\"\\",
		"{\"a\":1,\"a\":2}", "[\x00]", "{,}", "{:}",
	} {
		for _, syntax := range []Syntax{Strict, JSONC} {
			d := Trusted([]byte(text), syntax)
			for _, p := range []Pointer{{}, {"a"}, {"a", "a"}, {"0"}, {"0", "0"}, {"1"}, {"-"}, {""}} {
				_, _ = d.Get(p)
				value := []byte(`{"x":[1]}`)
				for _, op := range []string{"add", "replace", "remove", "test"} {
					_, _, _ = d.Apply(patch(Operation{Op: op, Path: p, Value: value}), Limits{})
					_, _, _ = d.Apply(patch(Operation{Op: op, Path: p, Value: value}, Operation{Op: "add", Path: Pointer{"b"}, Value: value},
						Operation{Op: "copy", From: p, Path: Pointer{"-"}}, Operation{Op: "remove", Path: p}), Limits{})
				}
				_, _ = d.MergePatch([]byte(`{"a":{"a":null,"b":1}}`), Limits{})
			}
		}
	}
}
