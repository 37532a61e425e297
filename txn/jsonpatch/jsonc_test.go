package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJSONCIsBlanked(t *testing.T) {
	for _, c := range []struct{ text, blanked string }{
		{`{"a":1}`, `{"a":1}`},
		{"// x\n1", "    \n1"},
		{"/* x\r\ny */1", "    \r\n    1"},
		{`[1,]`, `[1 ]`},
		{`[1, /* x */ ]`, `[1          ]`},
		{"{\"a\":1,// x\n}", "{\"a\":1     \n}"},
		{`["//", "/*", "\"//", ","]`, `["//", "/*", "\"//", ","]`},
		{`[[1,],]`, `[[1 ] ]`},
		{`[1]//`, `[1]  `},
		{`[1]/**/`, `[1]    `},
		{"[1]// é\r\n", "[1]     \r\n"},
	} {
		got, err := blankJSONC([]byte(c.text))
		require.NoError(t, err)
		require.Equal(t, c.blanked, string(got))
	}
}

func TestJSONCIsAccepted(t *testing.T) {
	for _, text := range []string{"// a\n1", "1/**/", "{\"a\": [1,],}", "\ufeff/* b */ {}"} {
		d, err := Parse([]byte(text), Limits{})
		require.NoError(t, err, text)
		require.Equal(t, JSONC, d.Syntax())
		_, err = ParseStrict([]byte(text), Limits{})
		require.ErrorIs(t, err, ErrInvalid)
	}
	for _, text := range []string{
		"[,]", "[1,,]", "{,}", "[1,,2]", "{\"a\":,}", "{\"a\",}", "1,", "/", "/1", "[1/]", "// only", "/* open", "/*/", "1 /* \xff */",
		"// \xff\n1", "# x\n1", "{a: 1}", "['a']", "[1]/", "1 2", "1 // x\r2", "// x\r1", "// x\r\n2 3", "1 // x\r",
	} {
		_, err := Parse([]byte(text), Limits{})
		require.ErrorIs(t, err, ErrInvalid, "%q", text)
	}
}

// Comments beside a removed member go with it, others stay.
func TestJSONCStyle(t *testing.T) {
	for _, c := range []struct{ name, patch, before, after string }{
		{
			"comments above and behind", `[{"op":"remove","path":"/b"}]`, `
{
  // about a
  "a": 1, // one
  // about b
  /* and
     more */
  "b": 2, // two
  // about c
  "c": 3 // three
}
`, `
{
  // about a
  "a": 1, // one
  // about c
  "c": 3 // three
}
`,
		}, {
			"the last one", `[{"op":"remove","path":"/c"}]`, `
{
  "b": 2, // two
  // about c
  "c": 3 // three
  // end
}
`, `
{
  "b": 2 // two
  // end
}
`,
		}, {
			"the last one with a trailing comma", `[{"op":"remove","path":"/c"}]`, `
{
  "b": 2, // two
  "c": 3, // three
}
`, `
{
  "b": 2, // two
}
`,
		}, {
			"a heading stays", `[{"op":"remove","path":"/a"},{"op":"remove","path":"/c"}]`, `
{ // open
  // Heading

  // about a
  "a": 1,
  "b": 2,

  // Heading

  // about c
  "c": 3
} // close
`, `
{ // open
  // Heading

  "b": 2

  // Heading
} // close
`,
		}, {
			"the only one", `[{"op":"remove","path":"/a"}]`, `
{ // open
  "a": 1 // one
}
`, `
{ // open
}
`,
		}, {
			"a new one behind a comment", `[{"op":"add","path":"/b","value":2},{"op":"add","path":"/c","value":[1]}]`, `
{
  "a": 1 // one
  // end
}
`, `
{
  "a": 1, // one
  "b": 2,
  "c": [
    1
  ]
  // end
}
`,
		}, {
			"a new one in a container that holds only a comment", `[{"op":"add","path":"/a/b","value":2}]`, `
{
  "a": { /* none */ }
}
`, `
{
  "a": { /* none */
    "b": 2
  }
}
`,
		}, {
			"within a line", `[{"op":"remove","path":"/0"},{"op":"add","path":"/-","value":4}]`, `
[/* 1 */ 1, /* 2 */ 2 /* two */, 3 /* three */]
`, `
[/* 2 */ 2 /* two */, 3 /* three */, 4]
`,
		}, {
			"the last of a line", `[{"op":"remove","path":"/1"}]`,
			"\n[ 1 /* one */, 2 /* two */ ]\n", "\n[ 1 /* one */ ]\n",
		}, {
			"a line comment in a line", `[{"op":"add","path":"/-","value":2}]`, `
[1 // one
]
`, `
[1, // one
  2
]
`,
		}, {
			"before the first", `[{"op":"add","path":"/0","value":0}]`, `
[ // open
  // about 1
  1
]
`, `
[ // open
  0,
  // about 1
  1
]
`,
		}, {
			"comments in a value that moves", `[{"op":"move","from":"/a","path":"/b/x"},{"op":"test","path":"/b/x/y","value":1}]`, `
{
  "a": {
    // why
    "y": 1,
  },
  "b": {
  }
}
`, `
{
  "b": {
    "x": {
      // why
      "y": 1,
    }
  }
}
`,
		}, {
			"a trailing comma stays a habit of its container", `[{"op":"add","path":"/b/-","value":2},{"op":"add","path":"/c","value":3}]`, `
{
  "a": 1,
  "b": [1,],
}
`, `
{
  "a": 1,
  "b": [1, 2,],
  "c": 3,
}
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) { checkStyle(t, c.patch, c.before, c.after) })
	}
}
