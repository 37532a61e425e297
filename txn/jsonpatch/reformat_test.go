package jsonpatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	text := "// top\n{\"b\" : [1,2 , 3],  // three\n\"a\":{ \"y\":[{}, []],\n\n// about x\n\"x\":1.0 /* one */},}\n"
	for _, c := range []struct {
		f    Format
		want string
	}{
		{Format{}, "// top\n{\n  \"b\": [1, 2, 3],  // three\n  \"a\": {\n    \"y\": [\n      {},\n      []\n    ],\n\n    // about x\n    \"x\": 1.0 /* one */\n  }\n}\n"},
		{Format{Indent: "\t", SortKeys: true}, "// top\n{\n\t\"a\": {\n\n\t\t// about x\n\t\t\"x\": 1.0, /* one */\n\t\t\"y\": [\n\t\t\t{},\n\t\t\t[]\n\t\t]\n\t},\n\t\"b\": [1, 2, 3]  // three\n}\n"},
	} {
		got, err := mustParse(t, text).Format(c.f, Limits{})
		require.NoError(t, err)
		require.True(t, Equal([]byte(text), got.Doc.Bytes()), "%s", got.Doc.Bytes())
		again, err := mustParse(t, string(got.Doc.Bytes())).Format(c.f, Limits{})
		require.NoError(t, err)
		require.Equal(t, string(got.Doc.Bytes()), string(again.Doc.Bytes()), "it is the same the second time")
		if !c.f.SortKeys {
			require.Equal(t, c.want, string(got.Doc.Bytes()))
		}
	}
	_, err := mustParse(t, text).Format(Format{Compact: true}, Limits{})
	require.ErrorIs(t, err, ErrInvalid)
	got, err := mustParse(t, "{\n  \"b\": [1, {}],\n  \"a\": \"x y\"\n}\n").Format(Format{Compact: true, SortKeys: true}, Limits{})
	require.NoError(t, err)
	require.Equal(t, "{\"a\":\"x y\",\"b\":[1,{}]}\n", string(got.Doc.Bytes()))
}

func TestFormatRandom(t *testing.T) {
	r := newRand(t)
	for range 2000 {
		g := randGen(r)
		d := mustParse(t, g.text(g.jsoncLayout()))
		got, err := d.Format(Format{SortKeys: g.next(2) == 0}, Limits{})
		require.NoError(t, err)
		checkText(t, d, got)
		require.True(t, d.SameValue(got.Doc), "%q gives %q", d.Bytes(), got.Doc.Bytes())
	}
}
