package jsonpatch

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one, which is printed")

// newRand returns a source for one test and prints the seed that repeats it.
func newRand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -run '^%s$' -seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func mustParse(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return d
}

func mustPatch(t testing.TB, text string) Patch {
	t.Helper()
	p, err := DecodePatch([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("patch %q: %v", text, err)
	}
	return p
}

func mustApply(t testing.TB, d *Document, p Patch) *Document {
	t.Helper()
	after, _, err := d.Apply(p, Limits{})
	if err != nil {
		t.Fatalf("apply %s to %q: %v", p.Encode(), d.Bytes(), err)
	}
	return after
}

// A gen makes documents and patches out of choices, which come from a random
// source or from a fuzzer's bytes. It never runs out: after the last byte every
// choice is 0, the simplest.
type gen struct {
	next func(n int) int // 0..n-1
	big  int             // containers nested so far bring this down
}

func randGen(r *rand.Rand) *gen { return &gen{next: r.IntN, big: 4} }

func byteGen(data []byte) *gen {
	return &gen{big: 4, next: func(n int) int {
		if len(data) == 0 || n <= 1 {
			return 0
		}
		v := int(data[0])
		data = data[1:]
		if n > 256 && len(data) > 0 {
			v = v<<8 | int(data[0])
			data = data[1:]
		}
		return v % n
	}}
}

var genNames = []string{"a", "b", "c", "id", "name", "", "~", "/", "a/b", "m~n", " ", "0", "-", "é", "\"", "\n", "1"}

// name writes a member name, sometimes with an escape that need not be there.
func (g *gen) name() string { return genNames[g.next(len(genNames))] }

func (g *gen) quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	escape := g.next(8) == 7
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || (escape && r < 0x10000):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

var genScalars = []string{
	"0", "1", "null", "true", "false", `""`, `"x"`, "2", "1.0", "1e0", "-0", "0.0", "10e-1", "1e400",
	"123456789012345678901234567890", "9007199254740993", "-1", "0.1", "1E+2", "100", `"\u2603"`, `"☃"`,
	`"a long string that is worth keeping"`, `"\/<&>\u2028"`, `"𝄞"`, `"\ud834\udd1e"`, "1e999999999999999999999",
}

// value writes a value in the style of layout.
func (g *gen) value(l genLayout) string {
	if g.big <= 0 || g.next(3) == 0 {
		return genScalars[g.next(len(genScalars))]
	}
	g.big--
	defer func() { g.big++ }()
	n := g.next(5)
	var parts []string
	if g.next(2) == 0 {
		used := map[string]bool{}
		for range n {
			if name := g.name(); !used[name] {
				used[name] = true
				parts = append(parts, g.quoted(name)+l.colon+g.value(l.deeper()))
			}
		}
		return l.container("{", "}", parts)
	}
	for range n {
		parts = append(parts, g.value(l.deeper()))
	}
	return l.container("[", "]", parts)
}

// A genLayout is how a person or a program writes containers.
type genLayout struct {
	newline, indent, colon, comma string
	depth                         int
	comments, trailing            bool
}

func (g *gen) layout() genLayout {
	l := genLayout{colon: []string{": ", ":", " : "}[g.next(3)], comma: []string{",", ", "}[g.next(2)]}
	l.newline = []string{"\n", "", "\r\n"}[g.next(3)]
	l.indent = []string{"  ", "\t", "    ", ""}[g.next(4)]
	return l
}

// jsoncLayout is a layout with comments and trailing commas.
func (g *gen) jsoncLayout() genLayout {
	l := g.layout()
	l.comments, l.trailing = g.next(2) == 0, g.next(2) == 0
	return l
}

func (l genLayout) deeper() genLayout { l.depth++; return l }

func (l genLayout) container(open, end string, parts []string) string {
	if len(parts) == 0 {
		return open + end
	}
	last := ""
	if l.trailing {
		last = ","
	}
	if l.newline == "" {
		if l.comments {
			open += " /* c */ "
		}
		return open + strings.Join(parts, l.comma) + last + end
	}
	at := l.newline + strings.Repeat(l.indent, l.depth+1)
	comment := ""
	if l.comments {
		comment = at + "// before" + at
	}
	if l.depth == 0 && l.comments {
		last += " // behind"
	}
	return open + comment + at + strings.Join(parts, ","+at) + last + l.newline + strings.Repeat(l.indent, l.depth) + end
}

// text writes a whole file around a value.
func (g *gen) text(l genLayout) string {
	text := g.value(l)
	if g.next(2) == 0 {
		text += max(l.newline, "\n")
	}
	return text
}

func (l genLayout) compact() genLayout { return genLayout{colon: ":", comma: ","} }

// pointers lists every value of a document.
func pointers(d *Document) []Pointer {
	m, err := parseModel(d.text())
	if err != nil {
		return nil
	}
	var all []Pointer
	var walk func(m *model, at Pointer)
	walk = func(m *model, at Pointer) {
		all = append(all, at)
		for i, item := range m.items {
			token := index(i)
			if m.kind == '{' {
				token = m.names[i]
			}
			walk(item, append(at[:len(at):len(at)], token))
		}
	}
	walk(m, Pointer{})
	return all
}

// operation makes an operation that often, not always, fits d.
func (g *gen) operation(d *Document) Operation {
	all := pointers(d)
	pick := func() Pointer {
		p := all[len(all)-1-g.next(len(all))]
		if g.next(3) == 0 {
			p = append(p[:len(p):len(p)], append(genNames, "-")[g.next(len(genNames)+1)])
		}
		return p
	}
	op := Operation{Op: []string{"replace", "add", "remove", "move", "copy", "test"}[g.next(6)], Path: pick()}
	switch op.Op {
	case "move", "copy":
		op.From = pick()
	case "test":
		op.Value = []byte(g.value(genLayout{}.compact()))
		if v, err := d.Get(op.Path); err == nil && g.next(4) > 0 && d.Syntax() == Strict {
			op.Value = v
		}
	case "add", "replace":
		op.Value = []byte(g.value(g.layout()))
	}
	return op
}

// edit applies n operations to d and returns the result and the patch.
func (g *gen) edit(d *Document, n int) (*Document, Patch) {
	var p Patch
	for range n {
		op := g.operation(d)
		after, _, err := d.Apply(Patch{op}, Limits{})
		if err == nil {
			d, p = after, append(p, op)
		}
	}
	return d, p
}
