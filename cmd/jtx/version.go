package main

import (
	"strings"
	"time"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/wal"
)

// versionKind says how a version of a file is named.
type versionKind int

const (
	noVersion   versionKind = iota
	revision                // FILE@7, FILE@-1
	transaction             // FILE@01JD...
	moment                  // FILE@2026-01-02T03:04:05Z, FILE@2h ago
)

var (
	revisionForm = cli.Pattern(`^-?[0-9]{1,19}$`)
	agoForm      = cli.Pattern(`^([0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s(ec(ond)?s?)?|m(in(ute)?s?)?|h(ours?)?|d(ays?)?|w(eeks?)?) ?)+ago$`)
)

// splitVersion takes a word apart at its last @, where what follows is a version.
// Else the whole word is the file. Whether a file has the whole word for its name
// is for the caller to look at first.
func splitVersion(word string) (file, version string, kind versionKind) {
	i := strings.LastIndexByte(word, '@')
	if i < 0 {
		return word, "", noVersion
	}
	if kind = kindOfVersion(word[i+1:]); kind == noVersion {
		return word, "", noVersion
	}
	return word[:i], word[i+1:], kind
}

func kindOfVersion(v string) versionKind {
	if revisionForm().MatchString(v) {
		return revision
	}
	if _, err := wal.ParseID(v); err == nil || isPrefix(v) {
		return transaction
	}
	if _, err := time.Parse(time.DateOnly, v); err == nil {
		return moment
	}
	if _, err := time.Parse(time.RFC3339, v); err == nil || agoForm().MatchString(v) {
		return moment
	}
	return noVersion
}
