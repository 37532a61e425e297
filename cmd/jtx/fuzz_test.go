package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jtx-project/jtx/cmd/internal/change"
	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// FuzzArgs reads any word as a version and as a place. Nothing may panic,
// and what was taken apart must give the word again.
func FuzzArgs(f *testing.F) {
	for _, seed := range []string{
		"", "a.json", "a.json@3", "a@b@-1", "x@2026-01-02T03:04:05Z", "x@2h ago", "x@01JD3Z5T9V8Q6W1E2R3T4Y5Z6A", "/a/b~0/0", ".a.b[0]", `.["a b"]."c"`, ".[]", "..",
		"-", "-1", "{}", `[{"op":"add"}]`, "bad\xff", "two\nlines", `."\ud800"`, ".a[99999999999999999999]", `."a\"b"[0]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		file, version, kind := splitVersion(word)
		switch {
		case kind == noVersion && file != word:
			t.Errorf("%q: no version, but file %q", word, file)
		case kind != noVersion && file+"@"+version != word:
			t.Errorf("%q: taken apart to %q and %q", word, file, version)
		}
		checkPlace(t, word)
	})
}

func checkPlace(t *testing.T, word string) {
	ptr, err := change.Place(word)
	if err != nil {
		if cli.ExitOf(err) != cli.ExitInvalid {
			t.Errorf("%q: %v has exit code %d", word, err, cli.ExitOf(err))
		}
		return
	}
	p, err := jsonpatch.ParsePointer(ptr)
	if err != nil || p.String() != ptr {
		t.Errorf("%q: became %q, which is no pointer: %v", word, ptr, err)
	}
	if !strings.HasPrefix(word, ".") && ptr != word {
		t.Errorf("%q: became %q", word, ptr)
	}
	if !utf8.ValidString(word) {
		return // no path names it
	}
	// A path leads back to itself, by way of the names and indices in it.
	if again, err := change.Place(pathOf(t, p)); err != nil || again != ptr {
		t.Errorf("%q: as a path %q, which gives %q, %v", word, pathOf(t, p), again, err)
	}
}

// pathOf writes a pointer as a jq path.
func pathOf(t *testing.T, p jsonpatch.Pointer) string {
	path := "."
	for _, token := range p {
		quoted, err := cli.QuoteJSON(token)
		if err != nil {
			t.Fatal(err)
		}
		path += "[" + string(quoted) + "]"
	}
	return path
}
