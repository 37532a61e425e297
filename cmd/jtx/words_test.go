package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
)

func TestSplitVersion(t *testing.T) {
	const id = "01JD3Z5T9V8Q6W1E2R3T4Y5Z6A"
	for _, c := range []struct {
		word, file, version string
		kind                versionKind
	}{
		{"a.json", "a.json", "", noVersion},
		{"a.json@7", "a.json", "7", revision},
		{"a.json@-1", "a.json", "-1", revision},
		{"a@b@12", "a@b", "12", revision},
		{"a.json@" + id, "a.json", id, transaction},
		{"a.json@" + strings.ToLower(id), "a.json", strings.ToLower(id), transaction},
		{"a.json@2026-01-02T03:04:05Z", "a.json", "2026-01-02T03:04:05Z", moment},
		{"a.json@2026-01-02T03:04:05.5+01:00", "a.json", "2026-01-02T03:04:05.5+01:00", moment},
		{"a.json@2h ago", "a.json", "2h ago", moment},
		{"a.json@1h30m ago", "a.json", "1h30m ago", moment},
		{"a.json@1 hour ago", "a.json", "1 hour ago", moment},
		{"a.json@2 days 3 minutes ago", "a.json", "2 days 3 minutes ago", moment},
		{"a.json@2 months ago", "a.json@2 months ago", "", noVersion},
		{"a.json@2h", "a.json@2h", "", noVersion},
		{"user@example.json", "user@example.json", "", noVersion},
		{"@", "@", "", noVersion},
		{"a@", "a@", "", noVersion},
		{"@3", "", "3", revision},
		{"a@+3", "a@+3", "", noVersion},
		{"a@3 ", "a@3 ", "", noVersion},
		{"a@3\n", "a@3\n", "", noVersion},
	} {
		file, version, kind := splitVersion(c.word)
		require.Equal(t, c.file, file, c.word)
		require.Equal(t, c.version, version, c.word)
		require.Equal(t, c.kind, kind, c.word)
	}
}

func TestParsePlace(t *testing.T) {
	for word, want := range map[string]string{
		"":               "",
		"/":              "/",
		"/a/b/0":         "/a/b/0",
		"/a~1b":          "/a~1b",
		".":              "",
		".a":             "/a",
		".a.b[0]":        "/a/b/0",
		".a[0][12].c":    "/a/0/12/c",
		".[0]":           "/0",
		`.["a b"]`:       "/a b",
		`.a["b/c"].d`:    "/a/b~1c/d",
		`.a.["b"]`:       "/a/b",
		`."x y"."z"`:     "/x y/z",
		`.""`:            "/",
		`."\u00e9\""`:    "/é\"",
		`.["a]b"]`:       "/a]b",
		"._x1.A":         "/_x1/A",
		`."a~b"`:         "/a~0b",
		`.a[0].["\\"].b`: `/a/0/\/b`,
	} {
		have, err := change.Place(word)
		require.NoError(t, err, word)
		require.Equal(t, want, have, word)
	}
	for _, word := range []string{
		"a", "a/b", "#/a", "/a~2", "..", "...", ".a.", ".a..b", ".[]", ".a[]", ".a[01]", ".a[1:2]", ".a[", ".a]", ".a|.b",
		".a?", ".a-b", ".0", ".a b", `."x`, `."\(1)"`, `.["a"`, ".[a]", ".a[0]b", ". ", ".é", `."\ud800`,
	} {
		_, err := change.Place(word)
		require.Error(t, err, word)
		require.Equal(t, cli.ExitInvalid, cli.ExitOf(err), word)
		require.NotEmpty(t, cli.MessageOf(err))
	}
}

func TestMarkNegatives(t *testing.T) {
	root := program.NewRoot(cli.NewApp(t.Context(), io.Discard, io.Discard), cli.AllVerbs)
	for _, c := range []struct{ args, marked []string }{
		{[]string{"set", "f", "/a", "-1"}, []string{"set", "f", "/a", cli.Mark + "-1"}},
		{[]string{"set", "f", "/a", "-.5", "-m", "-2", "/b", "-3"}, []string{"set", "f", "/a", cli.Mark + "-.5", "-m", "-2", "/b", cli.Mark + "-3"}},
		{[]string{"get", "f", "/a", "--default", "-1"}, []string{"get", "f", "/a", "--default", "-1"}},
		{[]string{"get", "f", "/a", "-r", "-1"}, []string{"get", "f", "/a", "-r", cli.Mark + "-1"}},
		{[]string{"-C", "-1", "get", "f"}, []string{"-C", "-1", "get", "f"}},
		{[]string{"set", "f", "--lock-timeout=1s", "/a", "-1"}, []string{"set", "f", "--lock-timeout=1s", "/a", cli.Mark + "-1"}},
		{[]string{"run", "f", "--", "x", "-1"}, []string{"run", "f", "--", "x", "-1"}},
		{[]string{"get", "-", "-x"}, []string{"get", "-", "-x"}},
		{nil, nil},
	} {
		marked := cli.MarkNegatives(root, c.args)
		require.Equal(t, c.marked, marked)
		require.Equal(t, append([]string{}, c.args...), cli.Unmark(marked))
	}
}

// TestVerbsAreFoundByName: only the verbs that the words of the command line name
// are made, so a name that is not that of its command would make a verb unknown.
func TestVerbsAreFoundByName(t *testing.T) {
	a := cli.NewApp(t.Context(), io.Discard, io.Discard)
	for _, v := range program.Verbs {
		require.Equal(t, v.Name, v.Make(a).Name())
	}
}

// TestEveryVerbIsMadeForWhatTellsOfThem: a verb's name behind an unknown word does
// not keep the others from being suggested.
func TestEveryVerbIsMadeForWhatTellsOfThem(t *testing.T) {
	for _, c := range []struct {
		args []string
		said string
	}{
		{[]string{"sett", "get"}, "jtx set"},
		{[]string{"help", "gte"}, "jtx get"},
	} {
		err := program.Execute(cli.NewApp(t.Context(), io.Discard, io.Discard), c.args)
		require.Error(t, err)
		require.Contains(t, cli.HintOf(err), c.said)
	}
	var out bytes.Buffer
	require.NoError(t, program.Execute(cli.NewApp(t.Context(), &out, io.Discard), []string{"help", "get", "--quiet"}))
	require.Contains(t, out.String(), "Usage: jtx get")
}
