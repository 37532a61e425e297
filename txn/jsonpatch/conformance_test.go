package jsonpatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A suiteCase is a record of the public json-patch-tests, see
// testdata/json-patch-tests/README.md.
type suiteCase struct {
	Comment  string
	Doc      json.RawMessage
	Patch    json.RawMessage
	RawPatch string
	Expected json.RawMessage
	Error    string
	Disabled bool
}

func readTestdata(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// Cases that the suite disables are run as well: each is right or refused.
func TestSuite(t *testing.T) {
	for _, file := range []string{"json-patch-tests/tests.json", "json-patch-tests/spec_tests.json", "rfc/6902.json"} {
		var cases []suiteCase
		readTestdata(t, file, &cases)
		ran := 0
		for i, c := range cases {
			if c.Doc == nil {
				continue // a heading
			}
			ran++
			t.Run(fmt.Sprintf("%s/%d %s", file, i, c.Comment), func(t *testing.T) { runSuiteCase(t, c) })
		}
		t.Logf("%s: %d cases of %d records", file, ran, len(cases))
	}
}

func runSuiteCase(t *testing.T, c suiteCase) {
	if c.RawPatch != "" {
		c.Patch = json.RawMessage(c.RawPatch)
	}
	d := mustParse(t, string(c.Doc))
	p, err := DecodePatch(c.Patch, Limits{})
	var after *Document
	if err == nil {
		after, _, err = d.Apply(p, Limits{})
	}
	if c.Error != "" {
		require.Error(t, err)
		require.True(t, isOurs(err), "%v", err)
		return
	}
	require.NoError(t, err)
	if c.Expected == nil {
		c.Expected = c.Doc
	}
	require.True(t, Equal(c.Expected, after.Bytes()), "want %s, got %s", c.Expected, after.Bytes())
	checkSplices(t, d, p)
	checkDiff(t, d, after)
}

// isOurs reports whether an error is one that the package documents.
func isOurs(err error) bool {
	for _, sentinel := range []error{ErrInvalid, ErrPatch, ErrPointer, ErrNotFound, ErrTest, ErrLimit} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

func TestRFC6901(t *testing.T) {
	var file struct {
		Doc   json.RawMessage
		Cases []struct {
			Pointer string
			Value   json.RawMessage
			Whole   bool
		}
	}
	readTestdata(t, "rfc/6901.json", &file)
	require.Len(t, file.Cases, 12)
	d := mustParse(t, string(file.Doc))
	for _, c := range file.Cases {
		p, err := ParsePointer(c.Pointer)
		require.NoError(t, err)
		require.Equal(t, c.Pointer, p.String())
		if c.Whole {
			c.Value = file.Doc
		}
		got, err := d.Get(p)
		require.NoError(t, err, c.Pointer)
		require.Equal(t, string(c.Value), string(got), c.Pointer)
	}
}

func TestRFC7386(t *testing.T) {
	var cases []struct {
		Comment                 string
		Original, Patch, Result json.RawMessage
	}
	readTestdata(t, "rfc/7386.json", &cases)
	require.Len(t, cases, 16)
	for _, c := range cases {
		t.Run(c.Comment, func(t *testing.T) {
			d := mustParse(t, string(c.Original))
			p, err := d.MergePatch(c.Patch, Limits{})
			require.NoError(t, err)
			after := mustApply(t, d, p)
			require.True(t, Equal(c.Result, after.Bytes()), "want %s, got %s", c.Result, after.Bytes())
			checkSplices(t, d, p)
		})
	}
}
