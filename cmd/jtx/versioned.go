package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// atFlags are of the verbs that read or bring back an old version.
type atFlags struct{ at string }

func (f *atFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.at, "at", "", "the `VERSION`: a revision, -N, a transaction's id, an RFC 3339 time, or as in \"2h ago\"")
}

// versioned is a word that names a file and maybe a version of it.
type versioned struct {
	file  string
	point history.Point
	// text is the version as it was given, empty where none was.
	text string
}

// versionOf takes FILE@VERSION apart. A file that has the whole word for its name
// is that file, and at, if it is given, says the version without doubt.
func (a *app) versionOf(word, at string) (versioned, error) {
	v := versioned{file: word, text: at}
	if at == "" {
		file, text, kind := splitVersion(word)
		if _, err := os.Lstat(word); err != nil && kind != noVersion {
			v.file, v.text = file, text
		}
	}
	if err := cli.CheckFile(v.file); err != nil {
		return v, err
	}
	if v.text == "" {
		return v, nil
	}
	var err error
	if v.text, err = a.expandedVersion(v.text); err != nil {
		return v, err
	}
	if v.point, err = history.ParsePoint(v.text, time.Now()); err != nil {
		return v, cli.Usagef("%s is no version", cli.QuoteWord(v.text)).WithHint(cli.VersionForms)
	}
	return v, nil
}

// checkChangeable refuses a word that names a version of a file that is there,
// and no file: what has been can't be changed. Beginning with ./ or / it is a file
// that is to be made.
func checkChangeable(words []string) error {
	for _, word := range words {
		file, version, kind := splitVersion(word)
		if kind == noVersion || strings.HasPrefix(word, "./") || filepath.IsAbs(word) {
			continue
		}
		_, whole := os.Lstat(word)
		if _, err := os.Lstat(file); err == nil && whole != nil {
			return cli.Usagef("%s: version %s of %s can't be changed", cli.QuoteWord(word), cli.QuoteWord(version), cli.QuoteWord(file)).
				WithHint("jtx restore %s brings it back; a file of that name is made as %s", cli.QuoteWord(word), cli.QuoteWord("./"+word))
		}
	}
	return nil
}

// parseMoment reads the value of a flag that takes a time or a transaction.
func (a *app) parseMoment(flag, text string) (history.Point, error) {
	text, err := a.expandedVersion(text)
	if err != nil {
		return history.Point{}, err
	}
	p, err := history.ParsePoint(text, time.Now())
	if err != nil {
		return p, cli.Usagef("%s %s: want a time, a transaction's id, or as in \"2h ago\"", flag, cli.QuoteWord(text))
	}
	return p, nil
}

// openStore opens the store with the flags of locking.
func (a *app) openStore(l *lockFlags) (*txn.Store, error) {
	opt, err := l.options()
	if err != nil {
		return nil, err
	}
	return a.Store(opt)
}
