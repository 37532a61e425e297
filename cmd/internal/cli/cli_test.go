package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

func TestClassify(t *testing.T) {
	for word, want := range map[string]sourceKind{
		"-": fromStdin, "{}": inline, "[": inline, `{"a":1}`: inline, "": fromFile, "a.json": fromFile, " {}": fromFile, "./{}": fromFile, "--": fromFile, "5": fromFile,
	} {
		require.Equal(t, want, classify(word), word)
	}
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
		out, err := exec.Command(shell, "-c", "printf %s "+QuoteWord(word)).Output()
		require.NoError(t, err, QuoteWord(word))
		require.Equal(t, word, string(out), QuoteWord(word))
		require.NotContains(t, QuoteWord(word), "\n")
	}
	require.Equal(t, "a.json@3", QuoteWord("a.json@3"))
}

func TestPrintableHasNoControls(t *testing.T) {
	require.Equal(t, "plain é", Printable("plain é"))
	require.Equal(t, `a\nb\x1b[2J\xff`, Printable("a\nb\x1b[2J\xff"))
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
		{Usagef("x"), 2},
		{&txn.Error{Kind: txn.ErrConflict}, 3},
		{&txn.Error{Kind: txn.ErrLockTimeout}, 4},
		{&txn.Error{Kind: txn.ErrInvalid, Err: syntax}, 5},
		{InvalidIn("x", syntax), 5},
		{&txn.Error{Kind: txn.ErrDamaged}, 6},
		{&txn.Error{Err: syscall.ENOSPC}, 7},
		{syscall.EROFS, 7},
		{&txn.Error{Kind: txn.ErrInDoubt}, 8},
		{&SignalError{syscall.SIGINT}, 130},
		{&SignalError{syscall.SIGPIPE}, 141},
		{&SignalError{syscall.SIGTERM}, 143},
		{&ChildError{77}, 77},
		// What may have been changed comes before why.
		{errors.Join(&txn.Error{Kind: txn.ErrConflict}, &txn.Error{Kind: txn.ErrInDoubt}), 8},
		{&txn.Error{Kind: txn.ErrInDoubt, Err: &SignalError{syscall.SIGINT}}, 8},
		{&About{"line 2", &Hinted{&txn.Error{Kind: txn.ErrConflict}, "h"}}, 3},
		{fmt.Errorf("wait: %w", &SignalError{syscall.SIGTERM}), 143},
	} {
		require.Equal(t, c.code, ExitOf(c.err), "%v", c.err)
		require.NotEmpty(t, exitName(c.code))
	}
}

// FuzzWords shows any word in each way that there is. None may break a line or move
// a cursor.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"", "-1", "{}", `[{"op":"add"}]`, "bad\xff", "two\nlines", "it's", "\x1b[31m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if classify(word) == inline && !strings.ContainsAny(word[:1], "[{") {
			t.Errorf("%q: inline", word)
		}
		if q := QuoteWord(word); strings.ContainsAny(q, "\n\r\x1b\x00") {
			t.Errorf("%q: quoted as %q", word, q)
		}
		if p := Printable(word); strings.ContainsAny(p, "\n\r\x1b\x00") {
			t.Errorf("%q: printed as %q", word, p)
		}
		if got := Unmark([]string{Mark + word}); got[0] != word {
			t.Errorf("%q: unmarked to %q", word, got)
		}
	})
}
