package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/history"
)

// revisions are the words FILE@REV of an entry.
func revisions(e history.Entry) string {
	var words []string
	for _, f := range e.Files {
		words = append(words, cli.QuoteWord(fmt.Sprintf("%s@%d", cli.Shown(f.File), f.Rev)))
	}
	for _, name := range e.Others {
		words = append(words, cli.QuoteWord(cli.Shown(name)))
	}
	return strings.Join(words, " ")
}

// plainEntry is an entry for programs that read lines: the id, the time, the
// actor, the files and the message, or what happened where there is none, separated by
// tabs; then, where patches were
// asked for, a line for each file that begins with a tab.
func (p *people) plainEntry(b *bytes.Buffer, e history.Entry, patches bool) {
	fmt.Fprintf(b, "%s\t%s\t%s\t%s\t%s\n", p.Paint(cli.Yellow, e.ID.String()), cli.TimeText(e.Time), field(actorOf(e)), p.Paint(cli.Bold, revisions(e)), field(p.about(e)))
	if patches {
		for _, f := range e.Files {
			fmt.Fprintf(b, "\t%s\t%s\n", cli.QuoteWord(fmt.Sprintf("%s@%d", cli.Shown(f.File), f.Rev)), f.Patch.Encode())
		}
	}
}

// field is a text between tabs.
func field(text string) string { return strings.ReplaceAll(cli.Printable(text), "\t", `\t`) }

func actorOf(e history.Entry) string {
	if e.Actor == "" {
		return "-"
	}
	return e.Actor
}
