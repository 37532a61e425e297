package jsonpatch

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// applied makes the operations and checks what holds for all of them: the
// result is valid in the same syntax, the splices lead to it and back, and a
// document that wasn't validated before gives the same.
func applied(t *testing.T, before, patch string) string {
	t.Helper()
	d, err := Parse([]byte(before), Limits{})
	require.NoError(t, err)
	p, err := DecodePatch([]byte(patch), Limits{})
	require.NoError(t, err)
	after, list, err := d.Apply(p, Limits{})
	require.NoError(t, err)
	if d.Syntax() == Strict {
		_, err = ParseStrict(after.Bytes(), Limits{})
	} else {
		_, err = Parse(after.Bytes(), Limits{})
	}
	require.NoError(t, err, "%s", after.Bytes())
	there, err := ApplySplices([]byte(before), list)
	require.NoError(t, err)
	require.Equal(t, string(after.Bytes()), string(there))
	back, err := ApplySplices(there, reversed(list))
	require.NoError(t, err)
	require.Equal(t, before, string(back))
	trusted, _, err := Trusted([]byte(before), d.Syntax()).Apply(p, Limits{})
	require.NoError(t, err)
	require.Equal(t, string(after.Bytes()), string(trusted.Bytes()))
	return string(after.Bytes())
}

// What new members, elements and containers look like. In the texts "·" stands
// for a tab and "¶" for a CR, so that they can be seen.
func TestStyleOfWhatIsNew(t *testing.T) {
	for _, c := range []struct{ name, patch, before, after string }{
		{
			"tabs", `[{"op":"add","path":"/a/c","value":{"x":[1,{}]}}]`, `
{
·"a": {
··"b": 1
·}
}
`, `
{
·"a": {
··"b": 1,
··"c": {
···"x": [
····1,
····{}
···]
··}
·}
}
`,
		}, {
			"CRLF", `[{"op":"add","path":"/b","value":[1]},{"op":"add","path":"/a/-","value":3}]`, `
{¶
  "a": [¶
    2¶
  ]¶
}¶
`, `
{¶
  "a": [¶
    2,¶
    3¶
  ],¶
  "b": [¶
    1¶
  ]¶
}¶
`,
		}, {
			"no space behind the colon", `[{"op":"add","path":"/b","value":{"c":1}}]`, `
{
  "a":1
}
`, `
{
  "a":1,
  "b":{
    "c":1
  }
}
`,
		}, {
			"space before the colon", `[{"op":"add","path":"/b","value":{"c":1}}]`, `
{
  "a" : 1
}
`, `
{
  "a" : 1,
  "b" : {
    "c" : 1
  }
}
`,
		}, {
			"no indent", `[{"op":"add","path":"/b","value":{"c":1}}]`, `
{
"a": {}
}
`, `
{
"a": {},
"b": {
  "c": 1
}
}
`,
		}, {
			"commas first", `[{"op":"add","path":"/c","value":3}]`, `
{ "a": 1
, "b": 2
}
`, `
{ "a": 1
, "b": 2, "c": 3
}
`,
		}, {
			"rows of a matrix", `[{"op":"add","path":"/-","value":5},{"op":"add","path":"/0","value":0},{"op":"remove","path":"/3"}]`, `
[
  1, 2,
  3, 4
]
`, `
[
  0, 1, 2,
  4, 5
]
`,
		}, {
			"elements like the ones before", `[{"op":"add","path":"/p/-","value":[5,6]},{"op":"add","path":"/o/-","value":{"y":2}}]`, `
{
  "p": [
    [1, 2],
    [3, 4]
  ],
  "o": [
    {
      "x": 1
    }
  ]
}
`, `
{
  "p": [
    [1, 2],
    [3, 4],
    [5, 6]
  ],
  "o": [
    {
      "x": 1
    },
    {
      "y": 2
    }
  ]
}
`,
		}, {
			"a short array stays short", `[{"op":"replace","path":"/a","value":[1,2]},{"op":"replace","path":"/b","value":[1,2]},{"op":"replace","path":"/c","value":[1,2]}]`, `
{
  "a": [1],
  "b": [
    1
  ],
  "c": []
}
`, `
{
  "a": [1, 2],
  "b": [
    1,
    2
  ],
  "c": [
    1,
    2
  ]
}
`,
		}, {
			"empty containers within a line", `[{"op":"add","path":"/a/1/-","value":3},{"op":"add","path":"/a/0/x","value":{"y":1}}]`, `
{
  "a": [{}, []]
}
`, `
{
  "a": [{"x": {"y": 1}}, [3]]
}
`,
		}, {
			"second element decides", `[{"op":"add","path":"/1","value":9},{"op":"add","path":"/0","value":8}]`, `
[1,2]
`, `
[8,1,9,2]
`,
		}, {
			"one element tells nothing", `[{"op":"add","path":"/a/0","value":0},{"op":"add","path":"/a/-","value":2}]`, `
{"a":[1]}
`, `
{"a":[0,1,2]}
`,
		}, {
			"root scalar becomes a container as it is given", `[{"op":"replace","path":"","value":{"a":   [1]}}]`, `
null
`, `
{"a":   [1]}
`,
		}, {
			"root container is laid out again", `[{"op":"replace","path":"","value":{"a":[1]}}]`, `
{
    "x": 1
}
`, `
{
    "a": [
        1
    ]
}
`,
		}, {
			"opened over two lines", `[{"op":"add","path":"/a","value":1}]`, `
{
}
`, `
{
  "a": 1
}
`,
		}, {
			"names are quoted and not more", `[{"op":"add","path":"/<a&b>\u2028\"\\é","value":"<&>"}]`, `
{"a": 1}
`, `
{"a": 1, "<a&b>` + "\u2028" + `\"\\é": "<&>"}
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) { checkStyle(t, c.patch, c.before, c.after) })
	}
}

func checkStyle(t *testing.T, patch, before, after string) {
	t.Helper()
	visible := strings.NewReplacer("\t", "·", "\r", "¶")
	hidden := strings.NewReplacer("·", "\t", "¶", "\r")
	got := applied(t, hidden.Replace(before[1:]), patch)
	require.Equal(t, after[1:], visible.Replace(got))
}

// What removing takes along and what it leaves.
func TestStyleOfWhatIsLeft(t *testing.T) {
	for _, c := range []struct{ name, patch, before, after string }{
		{
			"first, middle and last of a line", `[{"op":"remove","path":"/0"},{"op":"remove","path":"/1"},{"op":"remove","path":"/2"}]`,
			"\n[ 1, 2, 3, 4, 5 ]\n", "\n[ 2, 4 ]\n",
		}, {
			"all of a line", `[{"op":"remove","path":"/0"},{"op":"remove","path":"/0"}]`,
			"\n[ 1, 2 ]\n", "\n[]\n",
		}, {
			"last of the lines", `[{"op":"remove","path":"/b"}]`, `
{
  "a": 1,
  "b": {
    "c": 2
  }
}
`, `
{
  "a": 1
}
`,
		}, {
			"blank lines around", `[{"op":"remove","path":"/b"}]`, `
{
  "a": 1,

  "b": 2,

  "c": 3
}
`, `
{
  "a": 1,

  "c": 3
}
`,
		}, {
			"first before a blank line", `[{"op":"remove","path":"/a"}]`, `
{
  "a": 1,

  "b": 2
}
`, `
{
  "b": 2
}
`,
		}, {
			"blanks at the ends of lines stay", `[{"op":"remove","path":"/b"}]`,
			"\n{\n  \"a\": 1,  \n  \"b\": 2,\n  \"c\": 3\n}\n", "\n{\n  \"a\": 1,  \n  \"c\": 3\n}\n",
		}, {
			"a moved container takes its layout along", `[{"op":"move","from":"/a","path":"/b/x"}]`, `
{
  "a": {
    "list": [1, 2],
    "more": {
      "y": 1
    }
  },
  "b": {}
}
`, `
{
  "b": {
    "x": {
      "list": [1, 2],
      "more": {
        "y": 1
      }
    }
  }
}
`,
		}, {
			"a container moved into a line", `[{"op":"move","from":"/a","path":"/b/0/x"}]`, `
{
  "a": {
    "y": 1
  },
  "b": [{}]
}
`, `
{
  "b": [{"x": {"y": 1}}]
}
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) { checkStyle(t, c.patch, c.before, c.after) })
	}
}

// A change of one field is a change of these bytes only.
func TestSplicesAreMinimal(t *testing.T) {
	const before = "{\n  \"a\": 100,\n  \"b\": [1, 2],\n  \"c\": \"x\"\n}\n"
	for _, c := range []struct {
		op     string
		offset int
		old    string
		new    string
	}{
		{`{"op":"replace","path":"/a","value":101}`, 11, "0", "1"},
		{`{"op":"replace","path":"/c","value":"x"}`, -1, "", ""},
		{`{"op":"add","path":"/b/-","value":3}`, 26, "", ", 3"},
		{`{"op":"remove","path":"/b/1"}`, 23, ", 2", ""},
		{`{"op":"remove","path":"/a"}`, 1, "\n  \"a\": 100,", ""},
		{`{"op":"add","path":"/d","value":4}`, 39, "", ",\n  \"d\": 4"},
		{`{"op":"test","path":"/d","value":4}`, 0, "", ""},
	} {
		p, err := DecodePatch([]byte("["+c.op+"]"), Limits{})
		require.NoError(t, err)
		_, list, err := Trusted([]byte(before), Strict).Apply(p, Limits{})
		if p[0].Op == "test" {
			require.ErrorIs(t, err, ErrNotFound)
			continue
		}
		require.NoError(t, err)
		if c.offset < 0 {
			require.Empty(t, list)
			continue
		}
		require.Equal(t, []Splice{{c.offset, []byte(c.old), []byte(c.new)}}, list, c.op)
	}
}

// Indents repeat, so a small value must not make a large text.
func TestLayoutIsBounded(t *testing.T) {
	deep := strings.Repeat("[", 900) + strings.Repeat("1,", 20_000) + "1" + strings.Repeat("]", 900)
	before := "{\n" + strings.Repeat(" ", 16) + "\"a\": 1\n}\n"
	after := applied(t, before, `[{"op":"add","path":"/b","value":`+deep+`}]`)
	require.Less(t, len(after), 20*len(deep))

	before = "[\n" + strings.Repeat(" ", 100_000) + "1\n]"
	patch := `[{"op":"add","path":"/-","value":2}` + strings.Repeat(`,{"op":"add","path":"/-","value":2}`, 99) + `]`
	require.Less(t, len(applied(t, before, patch)), 110_000)
}

func TestRootIsReplacedWithinItsSurroundings(t *testing.T) {
	require.Equal(t, "\ufeff \n{\"b\":1}\r\n\n", applied(t, "\ufeff \n{\"a\":1}\r\n\n", `[{"op":"replace","path":"","value":{"b":1}}]`))
	require.Equal(t, "2", applied(t, "1", `[{"op":"add","path":"","value":2}]`))
	require.Equal(t, "// head\n[] // tail", applied(t, "// head\n{ /* gone */ } // tail", `[{"op":"replace","path":"","value":[]}]`))
	d, err := Parse([]byte("1"), Limits{})
	require.NoError(t, err)
	_, _, err = d.Apply(Patch{{Op: "remove"}}, Limits{})
	require.ErrorIs(t, err, ErrPatch)
}

// A patch of many operations neither copies nor scans the document for each,
// in whatever order they come.
func TestManyOperations(t *testing.T) {
	const members, ops = 20_000, 2000
	chosen := map[int]bool{}
	var p Patch
	for i := range ops {
		n := i * 7919 % members
		chosen[n] = true
		p = append(p, Operation{Op: "replace", Path: Pointer{fmt.Sprint("member ", n), "1"}, Value: []byte("20")})
	}
	var before, after bytes.Buffer
	for i := range members {
		fmt.Fprintf(&before, ",\n  \"member %d\": [1, 2, 3]", i)
		second := "2"
		if chosen[i] {
			second = "20"
		}
		fmt.Fprintf(&after, ",\n  \"member %d\": [1, %s, 3]", i, second)
	}
	close := func(b *bytes.Buffer) string { return "{" + b.String()[1:] + "\n}\n" }
	got, list, err := Trusted([]byte(close(&before)), Strict).Apply(p, Limits{})
	require.NoError(t, err)
	require.Equal(t, close(&after), string(got.Bytes()))
	require.Len(t, list, ops)
}

// An element whose identifying member changes is still itself where the rest of it is.
func TestReviseKeepsAnElementOfAnotherIdentity(t *testing.T) {
	const text = `{
  "users": [
    { "id": 1, "name": "ann" }, // first
    // about bob
    { "id": 2,   "name": "bob" },
    { "id": 3, "name": "cid" } // third
  ]
}
`
	for value, want := range map[string]string{
		`{"users":[{"id":1,"name":"ann"},{"id":20,"name":"bob"},{"id":3,"name":"cid"}]}`:                       strings.Replace(text, "2,", "20,", 1),
		`{"users":[{"id":1,"name":"ann"},{"id":20,"name":"bob"},{"id":5,"name":"new"},{"id":3,"name":"cid"}]}`: strings.Replace(text, "2,   \"name\": \"bob\" },", "20,   \"name\": \"bob\" },\n    { \"id\": 5, \"name\": \"new\" },", 1),
		`{"users":[{"id":1,"name":"ann"},{"id":4,"name":"dan"},{"id":3,"name":"cid"}]}`:                        strings.Replace(text, "    // about bob\n    { \"id\": 2,   \"name\": \"bob\" },", "    { \"id\": 4, \"name\": \"dan\" },", 1),
	} {
		e, err := mustParse(t, text).Revise(Revision{Text: []byte(value)}, Style{}, Limits{})
		require.NoError(t, err)
		require.Equal(t, want, string(e.Doc.Bytes()))
	}
}
