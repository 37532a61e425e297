package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// people shows transactions on a terminal.
type people struct {
	*cli.Page
	a    *app
	s    *txn.Store
	olds bool // say what a value was before, for which a version is derived each time
}

func (a *app) people(s *txn.Store) *people {
	page := a.OpenPage()
	return &people{page, a, s, page.Terminal}
}

// about is what is said of a transaction: its message, or what it did.
func (p *people) about(e history.Entry) string { return cmp.Or(cli.Told(e), p.happened(e)) }

// line tells of a transaction in one line, which begins with when it was.
func (p *people) line(e history.Entry, when string) string {
	id, actor, files := e.ID.String()[:cli.ShownID], cli.Printable(actorOf(e)), revisions(e)
	about := cli.Printable(p.about(e))
	if p.Width < narrow {
		return stacked(p.Page, p.Paint(cli.Yellow, id), fmt.Sprintf("%s  %s", when, actor), files, about)
	}
	const gaps = 2 + 2 + 1 + 2
	widths := cli.Share(p.Width-len(id)-gaps, max(14, cli.Columns(when)), max(8, cli.Columns(actor)), cli.Columns(files), cli.Columns(about))
	return strings.TrimRight(fmt.Sprintf("%s  %s  %s %s  %s", p.Paint(cli.Yellow, id),
		padded(cli.CutEnd(when, widths[0]), widths[0]), padded(cli.CutEnd(actor, widths[1]), widths[1]),
		p.Paint(cli.Bold, cli.CutFront(files, widths[2])), cli.CutEnd(about, widths[3])), " ")
}

// narrow is the width, in columns, below which what is told of a transaction takes several
// lines.
const narrow = 64

// stacked are texts below each other, behind the first one.
func stacked(p *cli.Page, head string, below ...string) string {
	for _, text := range below {
		if text != "" {
			head += "\n  " + cli.CutEnd(text, p.Width-2)
		}
	}
	return head
}

func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-cli.Columns(text)))
}

// happened says what a transaction did, in a few words: for one without a message.
func (p *people) happened(e history.Entry) string {
	ops := 0
	var only jsonpatch.Operation
	var in history.FileChange
	for _, f := range e.Files {
		ops += len(f.Patch)
		for _, op := range f.Patch {
			only, in = op, f
		}
	}
	switch {
	case ops == 0:
		return "layout changed"
	case ops > 1 && len(e.Files) > 1:
		return fmt.Sprintf("%d changes in %d files", ops, len(e.Files))
	case ops > 1:
		return cli.Plural(ops, "change")
	case len(only.Path) == 0 && only.Op == "remove":
		return "removed the file"
	case len(only.Path) == 0:
		return "wrote the whole document"
	}
	place := only.Path.String()
	old := oldValue(p.before(in), only)
	switch {
	case only.Op == "remove" && old != nil:
		return fmt.Sprintf("removed %s: %s", place, inShort(old))
	case only.Op == "remove":
		return "removed " + place
	case only.Op == "move" || only.Op == "copy":
		return fmt.Sprintf("%s of %s to %s", only.Op, only.From, place)
	case old != nil:
		return fmt.Sprintf("set %s: %s -> %s", place, inShort(old), inShort(only.Value))
	}
	return fmt.Sprintf("set %s: %s", place, inShort(only.Value))
}

// inShort is a value on a line that has more to tell.
func inShort(value []byte) string {
	const columns = 60
	return cli.CutEnd(string(jsonpatch.Compact(value)), columns)
}

// before is what a file held before a change, nil where that is no document, is not kept
// any more, or is not to be told.
func (p *people) before(f history.FileChange) *jsonpatch.Document {
	if !p.olds || !f.Before.Exists || f.Rev < 2 {
		return nil
	}
	v, err := history.ReadVersion(p.a.Ctx, p.s, f.File, history.AtRev(f.Rev-1))
	if err != nil || !v.Exists {
		return nil
	}
	return jsonpatch.Trusted(v.Data, jsonpatch.JSONC)
}

// oldValue is the value that an operation takes away or replaces, nil where there is
// none. What is put into an array takes nothing away.
func oldValue(doc *jsonpatch.Document, op jsonpatch.Operation) []byte {
	if doc == nil {
		return nil
	}
	if op.Op == "add" && len(op.Path) > 0 {
		parent, err := doc.Get(op.Path[:len(op.Path)-1])
		if err != nil || !bytes.HasPrefix(bytes.TrimSpace(parent), []byte("{")) {
			return nil
		}
	}
	value, err := doc.Get(op.Path)
	if err != nil {
		return nil
	}
	return value
}

// entry tells of a transaction in a line, and below it of what it changed.
func (p *people) entry(b *bytes.Buffer, e history.Entry, patches bool) {
	b.WriteString(p.line(e, ago(time.Since(e.Time))) + "\n")
	if patches {
		p.changes(b, e)
		b.WriteString("\n")
	}
}

// whole tells all of one transaction.
func (p *people) whole(b *bytes.Buffer, e history.Entry) {
	row := func(name, text string) {
		const indent = 13
		if text != "" {
			filled := strings.TrimRight(cli.Fill(text, p.Width-indent), "\n")
			fmt.Fprintf(b, "%-*s%s\n", indent, name, strings.ReplaceAll(filled, "\n", "\n"+strings.Repeat(" ", indent)))
		}
	}
	row("transaction", e.ID.String())
	row("time", fmt.Sprintf("%s (%s)", p.a.TimeText(e.Time), ago(time.Since(e.Time))))
	row("actor", cli.Printable(actorOf(e)))
	row("message", cli.Printable(cli.Told(e)))
	row("request", cli.Printable(e.Request))
	if e.Foreign {
		row("made", "outside jtx, and found then")
	}
	row("files", revisions(e))
	b.WriteString("\n")
	p.changes(b, e)
}

func (p *people) changes(b *bytes.Buffer, e history.Entry) {
	for _, f := range e.Files {
		if len(e.Files) > 1 {
			fmt.Fprintf(b, "  %s\n", p.Paint(cli.Bold, cli.CutFront(cli.Printable(cli.Shown(f.File)), p.Width-2)))
		}
		p.patch(b, p.before(f), f.Patch)
	}
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

// patch shows each operation on a line: what was there, if doc is the document before,
// and what is there now.
func (p *people) patch(b *bytes.Buffer, doc *jsonpatch.Document, patch jsonpatch.Patch) {
	for _, op := range patch {
		old := oldValue(doc, op)
		if doc != nil {
			doc, _, _ = doc.Apply(jsonpatch.Patch{op}, jsonpatch.Limits{}) // nil where it fails: no old values then
		}
		b.WriteString("  " + p.operation(op, old) + "\n")
	}
	if len(patch) == 0 {
		b.WriteString("  " + p.Paint(cli.Dim, "no value changed, only the layout") + "\n")
	}
}

func (p *people) operation(op jsonpatch.Operation, old []byte) string {
	place := cli.Printable(op.Path.String())
	if place == "" {
		place = "(the whole document)"
	}
	before, after := cli.Printable(string(jsonpatch.Compact(old))), cli.Printable(string(jsonpatch.Compact(op.Value)))
	if old == nil {
		before = ""
	}
	const around = len("  ~ :  -> ")
	widths := cli.Share(p.Width-around, cli.Columns(place), cli.Columns(before), cli.Columns(after))
	place, before, after = cli.CutFront(place, widths[0]), cli.CutEnd(before, widths[1]), cli.CutEnd(after, widths[2])
	switch op.Op {
	case "remove":
		if before != "" {
			place += ": " + before
		}
		return p.Paint(cli.Red, "- "+place)
	case "add", "replace":
		if before != "" {
			return p.Paint(cli.Yellow, "~ "+place+":") + " " + p.Paint(cli.Red, before) + " -> " + p.Paint(cli.Green, after)
		}
		if op.Op == "add" {
			return p.Paint(cli.Green, "+ "+place+": "+after)
		}
		return p.Paint(cli.Yellow, "~ "+place+": "+after)
	case "move", "copy":
		return p.Paint(cli.Yellow, cli.CutEnd("> "+place+": "+op.Op+" of "+cli.Printable(op.From.String()), p.Width-2))
	default:
		return p.Paint(cli.Dim, "= "+place+": "+after)
	}
}
