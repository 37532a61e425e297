package jsonpatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"
)

// An hour of each target, one after the other:
//
//	for f in FuzzApply FuzzDiff FuzzMerge FuzzParse FuzzPointer; do
//		go test ./txn/jsonpatch -run '^$' -fuzz "^$f\$" -fuzztime 1h -parallel 1
//	done
//
// It prints executions and new seeds as it goes. What fails is written below
// testdata/fuzz, from where every later run of the tests takes it first.
//
// FuzzApply, FuzzDiff and FuzzMerge take text, and bytes that drive a generator
// (gen): text that a fuzzer changes byte by byte is seldom JSON for long, and
// finds layouts; the generator finds structures.

var fuzzDocs = []string{
	`{"a":1,"b":[1,2,{"c":null}]}`, "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ]\n}\n", "[]", "{}", "null", "3", `""`,
	"{\r\n\t\"a\" : { },\r\n\t\"b\" : [ ]\r\n}", "\ufeff{\"\":{\"\":1},\"~\":2,\"/\":3}",
	"{\n  // one\n  \"a\": 1, // two\n  /* three */ \"b\": [1, 2,], // four\n}\n// five",
	"[1, 2, 3]\n\n", "[\n1,\n\n2\n]", `{"a":{"b":{"c":[[[]]]}}}`, "[\n  {\"id\": 1, \"x\": \"\\u00e9\"},\n  {\"id\": 2, \"x\": 1.0}\n]",
	"{ \"a\": 1 // one\n, \"b\": 2 /* two */ }", "[1 // one\n]", "{/* nothing */}", "[\n\t// nothing\n]", "1e400",
}

var fuzzPatches = []string{
	`[{"op":"add","path":"/b/-","value":{"x":[1,2]}}]`, `[{"op":"remove","path":"/a"},{"op":"remove","path":"/b"}]`,
	`[{"op":"replace","path":"","value":[]}]`, `[{"op":"move","from":"/a","path":"/b/0"}]`, `[{"op":"copy","from":"","path":"/c"}]`,
	`[{"op":"test","path":"/a","value":1.0},{"op":"replace","path":"/a","value":"x"}]`, `[{"op":"add","path":"//","value":0}]`,
	`[{"op":"remove","path":"/0"},{"op":"add","path":"/0","value":{}},{"op":"add","path":"/0/k","value":null}]`, `[]`,
	`[{"op":"move","from":"/b/1","path":"/b/0"},{"op":"remove","path":"/b/2"},{"op":"remove","path":"/b/1"},{"op":"remove","path":"/b/0"}]`,
}

// small keeps an input to a size at which the checks, which are many, stay fast.
func small(data ...[]byte) bool {
	n := 0
	for _, d := range data {
		n += len(d)
	}
	return n <= 4096
}

func FuzzApply(f *testing.F) {
	for _, doc := range fuzzDocs {
		for _, p := range fuzzPatches {
			f.Add([]byte(doc), []byte(p), []byte{})
		}
		f.Add([]byte(doc), []byte{}, []byte{3, 1, 2, 5, 0, 1, 9, 4, 2, 2, 7, 1, 200, 100, 50})
	}
	f.Fuzz(func(t *testing.T, doc, patch, choices []byte) {
		if !small(doc, patch, choices) {
			return
		}
		g := byteGen(choices)
		d, err := Parse(doc, Limits{})
		if err != nil {
			require.True(t, isOurs(err), "%v", err)
			d = mustParse(t, g.text(g.jsoncLayout()))
		}
		p, err := DecodePatch(patch, Limits{})
		if err != nil {
			require.True(t, isOurs(err), "%v", err)
			_, p = g.edit(d, 1+g.next(8))
			p = append(p, g.operation(d))
		}
		require.Equal(t, p.Encode(), mustPatch(t, string(p.Encode())).Encode())
		checkApply(t, d, p)
		checkEdit(t, d, p)
	})
}

func FuzzDiff(f *testing.F) {
	for i, doc := range fuzzDocs {
		f.Add([]byte(doc), []byte(fuzzDocs[(i+1)%len(fuzzDocs)]), []byte{})
		f.Add([]byte(doc), []byte{}, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	}
	f.Fuzz(func(t *testing.T, x, y, choices []byte) {
		if !small(x, y, choices) {
			return
		}
		g := byteGen(choices)
		a, err := Parse(x, Limits{})
		if err != nil {
			a = mustParse(t, g.text(g.jsoncLayout()))
		}
		b, err := Parse(y, Limits{})
		if err != nil {
			b, _ = g.edit(a, 1+g.next(8))
		}
		checkRevise(t, a, b)
		checkSplices(t, a, checkDiff(t, a, b))
		checkSplices(t, b, checkDiff(t, b, a))
		require.Empty(t, checkDiff(t, a, a))
	})
}

func FuzzMerge(f *testing.F) {
	for _, doc := range fuzzDocs {
		f.Add([]byte(doc), []byte(`{"a":null,"b":{"c":1},"d":[{"e":null}]}`), []byte{})
		f.Add([]byte(doc), []byte{}, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	}
	f.Fuzz(func(t *testing.T, doc, merge, choices []byte) {
		if !small(doc, merge, choices) {
			return
		}
		g := byteGen(choices)
		d, err := Parse(doc, Limits{})
		if err != nil {
			d = mustParse(t, g.text(g.jsoncLayout()))
		}
		if _, err := ParseStrict(merge, Limits{}); err != nil {
			_, err = d.MergePatch(merge, Limits{})
			require.True(t, isOurs(err), "%v", err)
			merge = []byte(g.value(g.layout()))
		}
		checkMerge(t, d, bytes.TrimPrefix(merge, []byte("\ufeff")))
	})
}

// strictlyValid reads text token by token, which is another way through
// jsontext than the one that Parse takes.
func strictlyValid(text []byte) bool { return looselyValid(text) && !repeatsNames(text) }

// looselyValid is strictlyValid where names may be repeated.
func looselyValid(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	values, depth := 0, 0
	for utf8.Valid(text) {
		_, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return values == 1 && depth <= 1000
		}
		if err != nil {
			return false
		}
		depth = max(depth, dec.StackDepth())
		if dec.StackDepth() == 0 {
			values++
		}
	}
	return false
}

// repeatsNames looks for names that an object repeats, in text that is loosely valid.
// Names are compared as UTF-16.
func repeatsNames(text []byte) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	found := false
	var walk func()
	walk = func() {
		kind := dec.PeekKind()
		_, err := dec.ReadToken()
		seen := map[string]bool{}
		for err == nil && (kind == '{' || kind == '[') && dec.PeekKind() != '}' && dec.PeekKind() != ']' {
			if kind == '{' {
				var name jsontext.Value
				if name, err = dec.ReadValue(); err != nil {
					return
				}
				key := fmt.Sprint(units(name))
				found, seen[key] = found || seen[key], true
			}
			walk()
		}
		if kind == '{' || kind == '[' {
			_, _ = dec.ReadToken()
		}
	}
	walk()
	return found
}

// units are what a string literal means, as UTF-16.
func units(quoted []byte) (list []uint16) {
	var simple = map[byte]uint16{'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9}
	for s := string(quoted[1 : len(quoted)-1]); s != ""; {
		switch {
		case strings.HasPrefix(s, `\u`):
			n, _ := strconv.ParseUint(s[2:6], 16, 16)
			list, s = append(list, uint16(n)), s[6:]
		case s[0] == '\\':
			c, ok := simple[s[1]]
			if !ok {
				c = uint16(s[1])
			}
			list, s = append(list, c), s[2:]
		default:
			r, n := utf8.DecodeRuneInString(s)
			list, s = append(list, utf16.Encode([]rune{r})...), s[n:]
		}
	}
	return list
}

func FuzzParse(f *testing.F) {
	for _, doc := range append(fuzzDocs, "", " ", "{\"a\":1,\"\\u0061\":2}", "\"\\ud800\"", "{\"\\ud800\":1,\"\\uD800\":2}", "{\"\\ud800\":1,\"\\ud801\":2}", "[{\"a\":{\"b\":1,\"b\":{}},}]", "\"\xff\"", "1 2", "[1,]", "[,]", "{,}",
		"[1,,]", "/**/", "//", "[1/]", "[/* ", "[1 /*/ ]", "{\"a\":,}", "[1]//", "[1,/**/]", "\"//\"", "[\"/*\"]/* \xff */", "01", "1.", "[1 2]", "//\r0\n1", "// a\r") {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !small(text) {
			return
		}
		before := bytes.Clone(text)
		valid := strictlyValid(text)
		strict, err := ParseStrict(text, Limits{})
		require.Equal(t, valid, err == nil, "%q: %v", text, err)
		d, looseErr := Parse(text, Limits{})
		require.Equal(t, before, text, "the input was written to")
		if valid {
			require.NoError(t, looseErr)
			require.Equal(t, Strict, d.Syntax())
			require.Equal(t, text, strict.Bytes())
			compact := Compact(d.text())
			require.True(t, Equal(compact, d.text()))
			require.True(t, json.Valid(compact))
			return
		}
		require.True(t, isOurs(err), "%v", err)
		checkSyntaxError(t, text, err)
		if looselyValid(text) {
			require.NoError(t, looseErr)
			require.Equal(t, Loose, d.Syntax())
			require.Equal(t, Loose, Trusted(text, JSONC).Syntax())
			require.True(t, isOurs(d.Repeated()))
			return
		}
		checkJSONC(t, text, d, looseErr)
	})
}

func checkSyntaxError(t *testing.T, text []byte, err error) {
	var at *SyntaxError
	if !errors.As(err, &at) {
		return // too long
	}
	require.Positive(t, at.Line)
	require.Positive(t, at.Column)
	require.GreaterOrEqual(t, at.Offset, int64(0))
	require.LessOrEqual(t, at.Offset, int64(len(text)))
	require.NotEmpty(t, at.Msg)
	if at.Snippet == "" {
		require.True(t, isUTF16(text), "%q", text) // of which no line can be shown
		return
	}
	require.Contains(t, at.Snippet, "^")
}

// loneCR is a // comment with a CR in it that no LF follows: readers disagree about
// whether it ends there, so it is refused here, and hujson reads on.
var loneCR = regexp.MustCompile(`//[^\n]*\r([^\n]|$)`)

// hujson is the other reader of JSONC. It lets through what strict parsing does
// not, so its answer is judged once more; and it wants a line end behind a comment.
func checkJSONC(t *testing.T, text []byte, d *Document, err error) {
	if err != nil && loneCR.Match(text) {
		require.True(t, isOurs(err), "%v", err)
		return
	}
	body := bytes.TrimPrefix(text, []byte("\ufeff"))
	theirs, hujsonErr := hujson.Standardize(append(bytes.Clone(body), '\n'))
	require.Equal(t, hujsonErr == nil && looselyValid(theirs), err == nil, "%q: ours %v, hujson %v", text, err, hujsonErr)
	if err != nil {
		require.True(t, isOurs(err), "%v", err)
		checkSyntaxError(t, text, err)
		return
	}
	require.Equal(t, JSONC, d.Syntax())
	require.Len(t, d.text(), len(body))
	require.True(t, Equal(theirs, d.text()))
	require.Equal(t, repeatsNames(theirs), d.Repeated() != nil)
	require.Empty(t, checkDiff(t, d, Trusted(theirs, JSONC)))
}

func FuzzPointer(f *testing.F) {
	for _, s := range []string{"", "/", "//", "/a", "/~0", "/~1", "/~01", "/~", "/~2", "a", "/a/0/-", "/é", "/\xff", "/ /\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePointer(s)
		if err != nil {
			require.ErrorIs(t, err, ErrPointer)
			return
		}
		require.Equal(t, s, p.String())
		again, err := ParsePointer(p.String())
		require.NoError(t, err)
		require.Equal(t, p, again)
		for i := range p {
			require.True(t, p.HasPrefix(p[:i]))
			require.False(t, p[:i].HasPrefix(p))
		}
		require.True(t, p.HasPrefix(p))
	})
}
