package jsonpatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEqual(t *testing.T) {
	huge := strings.Repeat("9", 50_000)
	for _, group := range [][]string{
		{"1", "1.0", "1e0", "10e-1", "0.1E+1", "1000e-3", " 1 ", "1 // one"},
		{"0", "-0", "0.0", "0e5", "-0.00e-999999999999"},
		{"1e400", "10e399", "0.1e401"},
		{"1e999999999999999999999", "10e999999999999999999998", "0.1e1000000000000000000000"},
		{"1e-999999999999999999999", "0.1e-999999999999999999998"},
		{"1e99999999999999999", "1000e99999999999999996", "0.001e100000000000000002", "0.001e0100000000000000002"},
		{"1e" + huge, "1e+0" + huge, "10e" + huge[1:] + "8"},
		{"123456789012345678901234567890", "123456789012345678901234567890.0", "12345678901234567890123456789e1"},
		{"-1.5", "-15e-1"},
		{`"a"`, `"\u0061"`}, {`"/"`, `"\/"`}, {`"\ud83d\ude00"`, `"😀"`}, {`"a\uD83D"`, `"\u0061\ud83d"`}, {`{"\ud83d":1,"x":2}`, `{"x":2,"\uD83D":1}`},
		{`{"a":1,"b":[2,{"c":3}]}`, `{ "b" : [ 2.0 , { "c" : 3 } ], "\u0061" : 1e0 }`, `{"b":[2,{"c":3},],/* x */"a":1}`},
		{`{"":1,"x":2,"y":3}`, `{"":1,"y":3,"x":2}`},
		{"null"}, {"true"}, {"false"}, {`""`}, {"[]"}, {"{}"}, {"[[]]"}, {"[{}]"}, {"[null]"}, {`"1"`}, {`"null"`},
		{"2"}, {"-1"}, {"1.0000000000000000000000000000001"}, {"1e401"}, {"1e999999999999999999998"}, {"1e-400"},
		{`{"a":1}`}, {`{"a":1,"b":[2,{"c":4}]}`}, {`{"a":null}`}, {`{"b":null}`}, {"[1,2]"}, {"[2,1]"}, {"[1]"}, {"[1,2,3]"},
	} {
		for _, x := range group {
			for _, y := range group {
				require.True(t, Equal([]byte(x), []byte(y)), "%.100s and %.100s", x, y)
			}
		}
	}
	different := []string{
		"0", "1", "-1", "2", "1.0000000000000000000000000000001", "1e400", "1e401", "1e999999999999999999998", "1e-400", "1e" + huge,
		"null", "true", "false", `""`, `"1"`, `"null"`, `"a"`, `"A"`, `"\ud800"`, `"\ud801"`, `"\udfff"`, `"\ufffd"`, `"x\ud800"`, "[]", "{}", "[[]]", "[{}]", "[null]", "[1]", "[1,2]", "[2,1]", "[1,2,3]",
		`{"a":1}`, `{"a":2}`, `{"b":1}`, `{"a":1,"b":1}`, `{"a":1,"b":2}`, `{"a":null}`, `{"b":null}`, `{"a":{"a":1}}`,
		// Of a name that is repeated nothing is left out.
		`{"a":1,"a":1}`, `{"a":1,"a":2}`, `{"a":2,"a":1}`, `{"b":1,"a":1,"b":1}`, `{"\ud800":1}`, `{"\ud801":1}`,
	}
	for i, x := range different {
		for j, y := range different {
			require.Equal(t, i == j, Equal([]byte(x), []byte(y)), "%.100s and %.100s", x, y)
		}
	}
	for _, invalid := range []string{"", "[", "nul", "1 2", "\"\xff\""} {
		require.False(t, Equal([]byte(invalid), []byte(invalid)), invalid)
	}
}

// Neither depth nor a different order at every level makes comparing quadratic.
func TestEqualIsBounded(t *testing.T) {
	var a, b strings.Builder
	const depth = 9000
	for i := range depth {
		fmt.Fprintf(&a, `{"x":%d,"y":[0],"z":`, i)
		b.WriteString(`{"z":`)
	}
	a.WriteString("1")
	b.WriteString("1")
	for i := range depth {
		a.WriteString("}")
		fmt.Fprintf(&b, `,"y":[0],"x":%d}`, depth-1-i)
	}
	require.True(t, Equal([]byte(a.String()), []byte(b.String())))
	require.False(t, Equal([]byte(a.String()), []byte(strings.Replace(b.String(), `"x":17}`, `"x":18}`, 1))))
}

func TestCompact(t *testing.T) {
	for text, want := range map[string]string{
		" { \"a\" : [ 1.0 , \"\\u0061 b\" ] , \"c\" : null }\n": `{"a":[1.0,"\u0061 b"],"c":null}`,
		"// x\n[1, 2, /* y */]":                                 "[1,2]",
		"\ufeff true ":                                          "true",
		"1e400":                                                 "1e400",
		"":                                                      "",
		"[ ] ]":                                                 "[]]",
		"[1/*":                                                  "[1/*",
	} {
		require.Equal(t, want, string(Compact([]byte(text))))
	}
}
