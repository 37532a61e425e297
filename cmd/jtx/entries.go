package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

const yellow = "\x1b[33m"

// revisions are the words FILE@REV of an entry.
func revisions(e txn.Entry) string {
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
// actor, the files and the message, separated by tabs; then, where patches were
// asked for, a line for each file that begins with a tab.
func plainEntry(b *bytes.Buffer, e txn.Entry, patches bool) {
	fmt.Fprintf(b, "%s\t%s\t%s\t%s\t%s\n", e.ID, cli.TimeText(e.Time), field(actorOf(e)), revisions(e), field(cli.Told(e)))
	if patches {
		for _, f := range e.Files {
			fmt.Fprintf(b, "\t%s\t%s\n", cli.QuoteWord(fmt.Sprintf("%s@%d", cli.Shown(f.File), f.Rev)), f.Patch.Encode())
		}
	}
}

// field is a text between tabs.
func field(text string) string { return strings.ReplaceAll(cli.Printable(text), "\t", `\t`) }

func actorOf(e txn.Entry) string {
	if e.Actor == "" {
		return "-"
	}
	return e.Actor
}

// shownID is how much of an id people are shown: its time in milliseconds, and enough
// beside that to be the only one. A verb takes it in the place of the whole.
const shownID = 16

// happened says what a transaction did, in a few words: for one without a message.
func happened(e txn.Entry) string {
	ops := 0
	var only jsonpatch.Operation
	for _, f := range e.Files {
		ops += len(f.Patch)
		for _, op := range f.Patch {
			only = op
		}
	}
	switch {
	case ops == 0:
		return "layout changed"
	case ops > 1 && len(e.Files) > 1:
		return fmt.Sprintf("%d changes in %d files", ops, len(e.Files))
	case ops > 1:
		return cli.Plural(ops, "change")
	case len(only.Path) > 0 && only.Op == "remove":
		return "removed " + only.Path.String()
	case len(only.Path) > 0:
		return "set " + only.Path.String()
	case only.Op == "remove":
		return "removed the file"
	}
	return "wrote the whole document"
}

// prettyEntry is an entry for people.
func (p *page) prettyEntry(b *bytes.Buffer, e txn.Entry, patches bool) {
	id, when, actor, files := e.ID.String()[:shownID], ago(time.Since(e.Time)), cli.Printable(actorOf(e)), revisions(e)
	line := fmt.Sprintf("%s  %-14s %-8s %s", p.paint(yellow, id), when, actor, p.paint(cli.Bold, files))
	// What does not fit is cut, but never so that nothing is told.
	room := max(16, p.width-len(id)-max(14, len(when))-max(8, len(actor))-utf8.RuneCountInString(files)-7)
	about := []rune(cli.Printable(cmp.Or(cli.Told(e), happened(e))))
	if len(about) > room {
		about = append(about[:room-3], []rune("...")...)
	}
	line += "  " + string(about)
	b.WriteString(line + "\n")
	if !patches {
		return
	}
	for _, f := range e.Files {
		if len(e.Files) > 1 {
			fmt.Fprintf(b, "  %s\n", p.paint(cli.Bold, cli.Printable(cli.Shown(f.File))))
		}
		p.prettyPatch(b, nil, f.Patch)
	}
	b.WriteString("\n")
}

// ago is how long before now something was, as people say it.
func ago(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= u.unit {
			return cli.Plural(int(d/u.unit), u.name) + " ago"
		}
	}
	if d < 0 {
		return "in the future"
	}
	return cli.Plural(int(d/time.Second), "second") + " ago"
}

// prettyPatch shows each operation on a line: what was there, if doc is the
// document before, and what is there now.
func (p *page) prettyPatch(b *bytes.Buffer, doc *jsonpatch.Document, patch jsonpatch.Patch) {
	for _, op := range patch {
		old := ""
		if doc != nil {
			if value, err := doc.Get(op.Path); err == nil {
				old = p.short(value)
			}
			doc, _, _ = doc.Apply(jsonpatch.Patch{op}, jsonpatch.Limits{}) // nil where it fails: no old values then
		}
		b.WriteString("  " + p.prettyOp(op, old) + "\n")
	}
	if len(patch) == 0 {
		b.WriteString("  " + p.paint(cli.Dim, "no value changed, only the layout") + "\n")
	}
}

func (p *page) prettyOp(op jsonpatch.Operation, old string) string {
	place := cli.Printable(op.Path.String())
	if place == "" {
		place = "(the whole document)"
	}
	switch op.Op {
	case "add":
		return p.paint(cli.Green, "+ "+place+": "+p.short(op.Value))
	case "remove":
		if old != "" {
			place += ": " + old
		}
		return p.paint(cli.Red, "- "+place)
	case "replace":
		if old != "" {
			return p.paint(yellow, "~ "+place+":") + " " + p.paint(cli.Red, old) + " -> " + p.paint(cli.Green, p.short(op.Value))
		}
		return p.paint(yellow, "~ "+place+": "+p.short(op.Value))
	case "move", "copy":
		return p.paint(yellow, "> "+place+": "+op.Op+" of "+cli.Printable(op.From.String()))
	default:
		return p.paint(cli.Dim, "= "+place+": "+p.short(op.Value))
	}
}

// short is a value on one line that fits the terminal.
func (p *page) short(value []byte) string {
	text := cli.Printable(string(jsonpatch.Compact(value)))
	room := max(20, p.width/2)
	if utf8.RuneCountInString(text) <= room {
		return text
	}
	return string([]rune(text)[:room-3]) + "..."
}
