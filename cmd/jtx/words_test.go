package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
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
		have, err := parsePlace(word)
		require.NoError(t, err, word)
		require.Equal(t, want, have, word)
	}
	for _, word := range []string{
		"a", "a/b", "#/a", "/a~2", "..", "...", ".a.", ".a..b", ".[]", ".a[]", ".a[-1]", ".a[01]", ".a[1:2]", ".a[", ".a]", ".a|.b",
		".a?", ".a-b", ".0", ".a b", `."x`, `."\(1)"`, `.["a"`, ".[a]", ".a[0]b", ". ", ".é", `."\ud800`,
	} {
		_, err := parsePlace(word)
		require.Error(t, err, word)
		require.Equal(t, exitInvalid, exitOf(err), word)
		require.NotEmpty(t, messageOf(err))
	}
}

func TestClassify(t *testing.T) {
	for word, want := range map[string]sourceKind{
		"-": fromStdin, "{}": inline, "[": inline, `{"a":1}`: inline, "": fromFile, "a.json": fromFile, " {}": fromFile, "./{}": fromFile, "--": fromFile, "5": fromFile,
	} {
		require.Equal(t, want, classify(word), word)
	}
}

func TestMarkNegatives(t *testing.T) {
	root := newRoot(&app{stdout: io.Discard, stderr: io.Discard}, allVerbs)
	for _, c := range []struct{ args, marked []string }{
		{[]string{"set", "f", "/a", "-1"}, []string{"set", "f", "/a", mark + "-1"}},
		{[]string{"set", "f", "/a", "-.5", "-m", "-2", "/b", "-3"}, []string{"set", "f", "/a", mark + "-.5", "-m", "-2", "/b", mark + "-3"}},
		{[]string{"get", "f", "/a", "--default", "-1"}, []string{"get", "f", "/a", "--default", "-1"}},
		{[]string{"get", "f", "/a", "-r", "-1"}, []string{"get", "f", "/a", "-r", mark + "-1"}},
		{[]string{"-C", "-1", "get", "f"}, []string{"-C", "-1", "get", "f"}},
		{[]string{"set", "f", "--lock-timeout=1s", "/a", "-1"}, []string{"set", "f", "--lock-timeout=1s", "/a", mark + "-1"}},
		{[]string{"run", "f", "--", "x", "-1"}, []string{"run", "f", "--", "x", "-1"}},
		{[]string{"get", "-", "-x"}, []string{"get", "-", "-x"}},
		{nil, nil},
	} {
		marked := markNegatives(root, c.args)
		require.Equal(t, c.marked, marked)
		require.Equal(t, append([]string{}, c.args...), unmark(marked))
	}
}

func TestDeletions(t *testing.T) {
	have, err := deletions([]string{"/l/2", "/l/10", ".l[9].x", "/l/9", "/a", "/l/2"})
	require.NoError(t, err)
	require.Equal(t, []string{"/l/10", "/l/9/x", "/l/9", "/l/2", "/a"}, have)
}

func TestQuoteWordIsReadBackByAShell(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	for _, word := range []string{
		"a.json", "", "a b", "it's", `"`, `a\b`, "$HOME", "`id`", "~", "~/x", "#x", "a#b", "*", "a\nb", "a\tb'c\\", "\x1b[31m", "bad\xff1.json", "é.json",
		"\u00a0", "\u202ereversed", "a;b", "x@3", "p%c", "{a,b}", "!x", "a=b", "\ufffd", "\xff\xfe\n'",
	} {
		out, err := exec.Command(shell, "-c", "printf %s "+quoteWord(word)).Output()
		require.NoError(t, err, quoteWord(word))
		require.Equal(t, word, string(out), quoteWord(word))
		require.NotContains(t, quoteWord(word), "\n")
	}
	require.Equal(t, "a.json@3", quoteWord("a.json@3"))
}

func TestPrintableHasNoControls(t *testing.T) {
	require.Equal(t, "plain é", printable("plain é"))
	require.Equal(t, `a\nb\x1b[2J\xff`, printable("a\nb\x1b[2J\xff"))
}

func TestExitOf(t *testing.T) {
	syntax := func() error {
		_, err := jsonpatch.ParseStrict([]byte("x"), jsonpatch.Limits{})
		return err
	}()
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{&txn.Error{Kind: txn.ErrNotFound}, 1},
		{usagef("x"), 2},
		{&txn.Error{Kind: txn.ErrConflict}, 3},
		{&txn.Error{Kind: txn.ErrLockTimeout}, 4},
		{&txn.Error{Kind: txn.ErrInvalid, Err: syntax}, 5},
		{invalidIn("x", syntax), 5},
		{&txn.Error{Kind: txn.ErrDamaged}, 6},
		{&txn.Error{Err: syscall.ENOSPC}, 7},
		{syscall.EROFS, 7},
		{&txn.Error{Kind: txn.ErrInDoubt}, 8},
		{&signalError{syscall.SIGINT}, 130},
		{&signalError{syscall.SIGPIPE}, 141},
		{&signalError{syscall.SIGTERM}, 143},
		{&childError{77}, 77},
		// What may have been changed comes before why.
		{errors.Join(&txn.Error{Kind: txn.ErrConflict}, &txn.Error{Kind: txn.ErrInDoubt}), 8},
		{&txn.Error{Kind: txn.ErrInDoubt, Err: &signalError{syscall.SIGINT}}, 8},
		{&about{"line 2", &hinted{&txn.Error{Kind: txn.ErrConflict}, "h"}}, 3},
		{fmt.Errorf("wait: %w", &signalError{syscall.SIGTERM}), 143},
	} {
		require.Equal(t, c.code, exitOf(c.err), "%v", c.err)
		require.NotEmpty(t, exitName(c.code))
	}
}

// TestVerbsAreFoundByName: only the verbs that the words of the command line name
// are made, so a name that is not that of its command would make a verb unknown.
func TestVerbsAreFoundByName(t *testing.T) {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	for _, v := range verbs {
		require.Equal(t, v.name, v.make(a).Name())
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
		a := &app{stdout: io.Discard, stderr: io.Discard}
		a.ctx, a.signals = newSignals(t.Context())
		err := a.execute(c.args)
		require.Error(t, err)
		require.Contains(t, hintOf(err), c.said)
	}
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: io.Discard}
	a.ctx, a.signals = newSignals(t.Context())
	require.NoError(t, a.execute([]string{"help", "get", "--quiet"}))
	require.Contains(t, out.String(), "Usage: jtx get")
}
