package jsonpatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	evanphx "github.com/evanphx/json-patch/v5"
	"github.com/stretchr/testify/require"
)

func unmarshalNumbers(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(into)
}

// Each case is one that evanphx/json-patch v5.9.11 crashes on, answers wrongly
// or spends all memory or time on. Want "" stands for an error of ours.
func TestWhereTheOracleIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, doc, patch, want string
		err                    error
	}{
		{"stack overflow on empty keys", `{"":1}`,
			`[{"op":"move","from":"/","path":"//x"},{"op":"copy","from":"/","path":"/"}]`, "", ErrPatch},
		{"copy of an empty key onto itself", `{"":{"":1}}`, `[{"op":"copy","from":"/","path":"//x"},{"op":"copy","from":"/","path":"/"}]`,
			`{"":{"":1,"x":{"":1}}}`, nil},
		{"panic: test against an array holding null", `{"a":[null]}`, `[{"op":"test","path":"/a","value":[null]}]`, `{"a":[null]}`, nil},
		{"panic: test an array holding null fails", `{"a":[null]}`, `[{"op":"test","path":"/a","value":[1]}]`, "", ErrTest},
		{"panic: null root, add", `null`, `[{"op":"add","path":"/a","value":1}]`, "", ErrNotFound},
		{"panic: null root, test", `null`, `[{"op":"test","path":"","value":null}]`, `null`, nil},
		{"null root replaced", `null`, `[{"op":"replace","path":"","value":[1]}]`, `[1]`, nil},
		{"copy of the root copies what is there now", `{"a":1}`,
			`[{"op":"replace","path":"/a","value":2},{"op":"copy","from":"","path":"/b"}]`, `{"a":2,"b":{"a":2}}`, nil},
		{"empty key is a key", `{"":{"x":1},"x":2}`, `[{"op":"copy","from":"/","path":"/y"}]`, `{"":{"x":1},"x":2,"y":{"x":1}}`, nil},
		{"empty key tested", `{"":1}`, `[{"op":"test","path":"/","value":1}]`, `{"":1}`, nil},
		{"empty key is not the container", `{"a":1}`, `[{"op":"test","path":"/","value":{"a":1}}]`, "", ErrNotFound},
		{"replace of an empty key that is not there", `{"a":1}`, `[{"op":"replace","path":"/","value":1}]`, "", ErrNotFound},
		{"duplicate keys in a value", `{}`, `[{"op":"add","path":"/a","value":{"x":1,"x":2}}]`, "", ErrInvalid},
		{"duplicate keys in an operation", `{}`, `[{"op":"add","path":"/a","value":1,"path":"/b"}]`, "", ErrInvalid},
		{"test null on a missing key", `{"a":1}`, `[{"op":"test","path":"/b","value":null}]`, "", ErrNotFound},
		{"1 is 1.0", `{"a":1}`, `[{"op":"test","path":"/a","value":1.0}]`, `{"a":1}`, nil},
		{"1 is 1e0", `[1]`, `[{"op":"test","path":"/0","value":1e0}]`, `[1]`, nil},
		{"numbers within containers", `{"a":[100,{"b":-0}]}`, `[{"op":"test","path":"","value":{"a":[1E+2,{"b":0.0}]}}]`, `{"a":[100,{"b":-0}]}`, nil},
		{"big numbers exactly", `[9007199254740993]`, `[{"op":"test","path":"/0","value":9007199254740992}]`, "", ErrTest},
		{"huge exponent", `[1e400]`, `[{"op":"test","path":"/0","value":10e399}]`, `[1e400]`, nil},
		{"tiny is not zero", `[1e-400]`, `[{"op":"test","path":"/0","value":0}]`, "", ErrTest},
		{"index 01", `[1,2]`, `[{"op":"remove","path":"/01"}]`, "", ErrNotFound},
		{"index +1", `[1,2]`, `[{"op":"remove","path":"/+1"}]`, "", ErrNotFound},
		{"index -0", `[1,2]`, `[{"op":"remove","path":"/-0"}]`, "", ErrNotFound},
		{"index -1", `[1,2]`, `[{"op":"remove","path":"/-1"}]`, "", ErrNotFound},
		{"index 1e0", `[1,2]`, `[{"op":"remove","path":"/1e0"}]`, "", ErrNotFound},
		{"index of many digits", `[1,2]`, `[{"op":"remove","path":"/18446744073709551616"}]`, "", ErrNotFound},
		{"add at index -1", `[1,2]`, `[{"op":"add","path":"/-1","value":3}]`, "", ErrNotFound},
		{"scalar root replaced", `3`, `[{"op":"replace","path":"","value":4}]`, `4`, nil},
		{"scalar root tested", `"x"`, `[{"op":"test","path":"","value":"x"}]`, `"x"`, nil},
		{"no HTML escapes", `{"a":"<&>"}`, `[{"op":"add","path":"/b","value":"</b>&"}]`, `{"a":"<&>","b":"</b>&"}`, nil},
		{"root added", `{"a":1}`, `[{"op":"add","path":"","value":[]}]`, `[]`, nil},
		{"move into its own child", `{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a/b"}]`, "", ErrPatch},
		{"move of the root into itself", `{"a":{}}`, `[{"op":"move","from":"","path":"/a/b"}]`, "", ErrPatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustParse(t, c.doc)
			p, err := DecodePatch([]byte(c.patch), Limits{})
			var after *Document
			if err == nil {
				after, _, err = d.Apply(p, Limits{})
			}
			if c.want == "" {
				require.ErrorIs(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, string(Compact(after.Bytes())))
			checkSplices(t, d, p)
		})
	}
}

func TestEqualNulls(t *testing.T) {
	require.True(t, Equal([]byte("null"), []byte("null")))
	require.True(t, Equal([]byte("[null,{\"a\":null}]"), []byte("[ null, {\"a\": null} ]")))
	require.False(t, Equal([]byte("{\"a\":null}"), []byte("{}")))
}

func TestMergeWhereTheOracleIsWrong(t *testing.T) {
	for _, c := range []struct{ doc, merge, want string }{
		{`null`, `{"a":1}`, `{"a":1}`},
		{`{"z":1}`, `{"y":1,"b":2,"x":3,"a":4}`, `{"z":1,"y":1,"b":2,"x":3,"a":4}`},
		{`{}`, `{"a":[{"b":null}]}`, `{"a":[{"b":null}]}`},
		{`{}`, `{"a":{"b":null,"c":{"d":null}}}`, `{"a":{"c":{}}}`},
		{`{"a":1}`, `{"a":{"b":null,"c":1}}`, `{"a":{"c":1}}`},
		{`[1]`, `{"b":1,"a":2}`, `{"b":1,"a":2}`},
		{`{"a":{"x":1,"y":2}}`, `{"a":{"y":null,"z":1.0}}`, `{"a":{"x":1,"z":1.0}}`},
	} {
		d := mustParse(t, c.doc)
		p, err := d.MergePatch([]byte(c.merge), Limits{})
		require.NoError(t, err)
		require.Equal(t, c.want, string(Compact(mustApply(t, d, p).Bytes())), c.merge)
	}
}

// A patch of about 1 KB that copies the document into itself again and again.
func TestAmplificationIsBounded(t *testing.T) {
	d := mustParse(t, `{"a":"`+strings.Repeat("x", 1000)+`"}`)
	var ops []string
	for i := range 30 {
		ops = append(ops, fmt.Sprintf(`{"op":"copy","from":"","path":"/%d"}`, i))
	}
	p := mustPatch(t, "["+strings.Join(ops, ",")+"]")
	require.Less(t, len(p.Encode()), 2000)
	_, _, err := d.Apply(p, Limits{})
	require.ErrorIs(t, err, ErrLimit)
	var at *OpError
	require.ErrorAs(t, err, &at)
	require.Equal(t, "copy", at.Op)
	require.Positive(t, at.Index)
}

func TestDepthIsBounded(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	_, err := Parse([]byte(nested(1001)), Limits{})
	require.ErrorIs(t, err, ErrLimit)
	d, err := Parse([]byte(nested(9990)), Limits{MaxDepth: 10_000})
	require.NoError(t, err)
	// The oracle takes 12 s for this one.
	test := Patch{{Op: "test", Value: d.Bytes()}}
	_, _, err = d.Apply(test, Limits{MaxDepth: 10_000})
	require.NoError(t, err)
	_, err = DecodePatch([]byte(`[{"op":"add","path":"/a","value":`+nested(1001)+`}]`), Limits{})
	require.ErrorIs(t, err, ErrLimit)
	// Growing deeper operation by operation ends at the limit too.
	var p Patch
	for i := range 1001 {
		p = append(p, Operation{Op: "add", Path: slices.Repeat(Pointer{"0"}, i), Value: []byte("[]")})
	}
	_, _, err = mustParse(t, "[]").Apply(p, Limits{})
	require.ErrorIs(t, err, ErrLimit)
}

// oracleApplies reports whether a patch is one that evanphx/json-patch gets
// right: no empty key, no root, canonical indices only, a container as the
// document, and no test, which it judges by spelling.
func oracleApplies(d *Document, p Patch) bool {
	text := d.text()
	if k := text[skipSpace(text, 0)]; k != '{' && k != '[' {
		return false
	}
	for _, op := range p {
		if op.Op == "test" || !oraclePointer(op.Path) || (op.From != nil && !oraclePointer(op.From)) {
			return false
		}
		if (op.Op == "move" || op.Op == "copy") && !oraclePointer(op.From) {
			return false
		}
	}
	return true
}

func oraclePointer(p Pointer) bool {
	for _, token := range p {
		if token == "" || (strings.ContainsAny(token, "+-0123456789") && token != "0" && token != "1" && token != "-") {
			return false
		}
	}
	return len(p) > 0
}

// oracleApply applies p as evanphx/json-patch does. It takes an array for an
// object where blanks stand before it.
func oracleApply(d *Document, p Patch) ([]byte, error) {
	theirs, err := evanphx.DecodePatch(p.Encode())
	if err != nil {
		return nil, err
	}
	options := evanphx.NewApplyOptions()
	options.SupportNegativeIndices = false
	options.EscapeHTML = false
	options.AccumulatedCopySizeLimit = 1 << 26
	return theirs.ApplyWithOptions(bytes.TrimSpace(d.text()), options)
}

// checkApply applies p to d and compares the outcome with the model's and, where
// it may be asked, the oracle's.
func checkApply(t testing.TB, d *Document, p Patch) {
	t.Helper()
	m, err := parseModel(d.text())
	require.NoError(t, err)
	want, wantErr := m.apply(p)
	after, splices, err := d.Apply(p, Limits{})
	where := fmt.Sprintf("%q by %s", d.Bytes(), p.Encode())
	checkAppended(t, d, p, after, err)
	if wantErr != nil {
		require.Error(t, err, where)
		require.True(t, isOurs(err), "%s: %v", where, err)
		return
	}
	require.NoError(t, err, where)
	got, err := parseModel(after.text())
	require.NoError(t, err, "%s gives %q", where, after.Bytes())
	require.True(t, want.equal(got, true), "%s gives %q", where, after.Bytes())
	checkBytes(t, d, after, splices)
	checkSplices(t, d, p)
	if oracleApplies(d, p) {
		theirs, err := oracleApply(d, p)
		require.NoError(t, err, where)
		require.True(t, Equal(theirs, after.text()), "%s gives %q, oracle %q", where, after.Bytes(), theirs)
	}
}

// checkAppended checks that AppendApply gives what Apply has given.
func checkAppended(t testing.TB, d *Document, p Patch, after *Document, applyErr error) {
	t.Helper()
	text, err := d.AppendApply([]byte("before"), p, Limits{})
	if applyErr != nil {
		require.EqualError(t, err, applyErr.Error())
		require.Equal(t, "before", string(text))
		return
	}
	require.NoError(t, err)
	require.Equal(t, "before"+string(after.Bytes()), string(text))
}

// checkBytes checks that the result is valid in the document's own syntax, that
// the splices are in order and apart, and that they are all that has changed.
func checkBytes(t testing.TB, d, after *Document, splices []Splice) {
	t.Helper()
	parsed, err := Parse(after.Bytes(), Limits{MaxDepth: 10_000})
	require.NoError(t, err, "%q", after.Bytes())
	require.Equal(t, parsed.Syntax(), after.Syntax(), "%q", after.Bytes())
	if d.Syntax() == Strict {
		require.Equal(t, Strict, parsed.Syntax(), "%q", after.Bytes())
	}
	end := 0
	var rest []byte
	for _, s := range splices {
		require.GreaterOrEqual(t, s.Offset, end)
		require.Equal(t, string(s.Old), string(d.Bytes()[s.Offset:s.Offset+len(s.Old)]))
		rest = append(append(rest, d.Bytes()[end:s.Offset]...), s.New...)
		end = s.Offset + len(s.Old)
	}
	rest = append(rest, d.Bytes()[end:]...)
	require.Equal(t, string(after.Bytes()), string(rest))
	spliced, err := ApplySplices(d.Bytes(), splices)
	require.NoError(t, err)
	require.Equal(t, string(after.Bytes()), string(spliced))
}

func TestApplyRandom(t *testing.T) {
	r := newRand(t)
	fit := 0
	for range 5000 {
		g := randGen(r)
		d := mustParse(t, g.text(g.jsoncLayout()))
		p := Patch{g.operation(d)}
		checkApply(t, d, p)
		if _, p = g.edit(d, 1+g.next(6)); len(p) > 0 {
			fit++
		}
		checkApply(t, d, p)
	}
	require.Greater(t, fit, 3000, "too few of the patches fit their documents to mean much")
}

func TestMergeRandom(t *testing.T) {
	r := newRand(t)
	for range 3000 {
		g := randGen(r)
		checkMerge(t, mustParse(t, g.text(g.jsoncLayout())), []byte(g.value(g.layout())))
	}
}

// checkMerge compares a merge with RFC 7386's own pseudocode and, where it is
// right, with the oracle.
func checkMerge(t testing.TB, d *Document, merge []byte) {
	t.Helper()
	p, err := d.MergePatch(merge, Limits{})
	require.NoError(t, err)
	after, splices, err := d.Apply(p, Limits{})
	require.NoError(t, err)
	m, err := parseModel(d.text())
	require.NoError(t, err)
	patch, err := parseModel(merge)
	require.NoError(t, err)
	got, err := parseModel(after.text())
	require.NoError(t, err)
	require.True(t, m.merge(patch).equal(got, true), "%q by %q gives %q", d.Bytes(), merge, after.Bytes())
	checkBytes(t, d, after, splices)
	if d.text()[skipSpace(d.text(), 0)] == '{' && patch.kind == '{' && !bytes.Contains(merge, []byte("null")) {
		theirs, err := evanphx.MergePatch(d.text(), merge)
		require.NoError(t, err)
		require.True(t, Equal(theirs, after.text()), "%q by %q gives %q, oracle %q", d.Bytes(), merge, after.Bytes(), theirs)
	}
}
