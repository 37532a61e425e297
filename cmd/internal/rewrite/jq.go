package rewrite

import (
	"regexp"
	"strings"

	"github.com/itchyny/gojq"
	"mvdan.cc/sh/v3/syntax"
)

// jqCall is a call of jq, taken apart.
type jqCall struct {
	filter *syntax.Word
	files  []*syntax.Word
	vars   []*syntax.Word // --arg a b and their like, as they stand
	// null: no input is read. exact: an option asks for something that only jq
	// itself does. odd: the output is not one document, for this reason.
	null, exact bool
	raw         bool // strings are printed without their quotes
	odd         string
}

// parseJQ reads the arguments of jq. ok is false where they are not understood.
func parseJQ(args []*syntax.Word) (q *jqCall, ok bool) {
	q = &jqCall{}
	fromFile, options := false, true
	for i := 0; i < len(args); i++ {
		text, plain := static(args[i])
		if !options || !plain || len(text) < 2 || text[0] != '-' {
			if q.filter == nil && !fromFile {
				q.filter = args[i]
			} else {
				q.files = append(q.files, args[i])
			}
			continue
		}
		switch {
		case text == "--":
			options = false
		case text == "--arg" || text == "--argjson" || text == "--slurpfile" || text == "--rawfile" || text == "--argfile":
			if i+2 >= len(args) {
				return nil, false
			}
			q.vars = append(q.vars, args[i:i+3]...)
			q.exact = q.exact || text == "--argfile"
			i += 2
		case text == "--args" || text == "--jsonargs":
			q.exact = true
			if q.filter == nil && i+1 < len(args) {
				q.filter = args[i+1]
			}
			return q, true
		case text == "--indent" || text == "-L":
			q.exact = q.exact || text == "-L"
			i++
		case text == "--from-file" || !strings.HasPrefix(text, "--") && strings.HasSuffix(text, "f"):
			fromFile, q.exact = true, true
			if !q.short(strings.TrimSuffix(strings.TrimPrefix(text, "-"), "f")) && text != "--from-file" {
				return nil, false
			}
			i++
			if i >= len(args) {
				return nil, false
			}
			if q.filter != nil {
				q.files = append([]*syntax.Word{q.filter}, q.files...)
			}
			q.filter = args[i]
		case strings.HasPrefix(text, "--"):
			if !q.long(text) {
				return nil, false
			}
		case !q.short(text[1:]):
			return nil, false
		}
	}
	return q, q.filter != nil
}

func (q *jqCall) long(flag string) bool {
	switch flag {
	case "--compact-output", "--monochrome-output", "--tab", "--unbuffered":
	case "--null-input":
		q.null = true
	case "--slurp", "--sort-keys", "--ascii-output", "--raw-output", "--exit-status":
		q.exact, q.raw = true, q.raw || flag == "--raw-output"
	case "--raw-input", "--join-output", "--stream", "--seq", "--color-output":
		q.exact, q.odd = true, flag+" makes the output something else than one document"
	default:
		return false
	}
	return true
}

func (q *jqCall) short(letters string) bool {
	for _, c := range letters {
		switch c {
		case 'c', 'M':
		case 'n':
			q.null = true
		case 's', 'S', 'a', 'r', 'e':
			q.exact, q.raw = true, q.raw || c == 'r'
		case 'R', 'j', 'C':
			q.exact, q.odd = true, "-"+string(c)+" makes the output something else than one document"
		default:
			return false
		}
	}
	return true
}

// filterKind says how a jq program may be run.
type filterKind int

const (
	anywhere filterKind = iota // gojq gives what jq gives
	onlyJQ                     // what jq gives may depend on the order of members
	notOne                     // the output is none or several documents
)

// dotBracket is a spelling of an index, .a.["b"], that jq 1.6 refuses.
var dotBracket = regexp.MustCompile(`[\w\])"]\.\[`)

// kindOfFilter judges a program as far as its text is known: a variable in it
// stands for some value.
func (s *script) kindOfFilter(w *syntax.Word) filterKind {
	text, known := s.filterText(w)
	if !known {
		return onlyJQ
	}
	q, err := gojq.Parse(text)
	switch {
	case err != nil || strings.Contains(text, `\u`) || dotBracket.MatchString(text):
		return onlyJQ
	case many(q):
		return notOne
	case q.Meta != nil || len(q.Imports) > 0 || len(q.FuncDefs) > 0 || !portable(q):
		return onlyJQ
	}
	return anywhere
}

// filterText is a filter with a name in the place of each variable of the shell.
func (s *script) filterText(w *syntax.Word) (string, bool) {
	if text, ok := static(w); ok {
		return text, true
	}
	if len(w.Parts) == 1 && variable(w) != "" {
		if value := s.names.once(variable(w)); value != nil {
			return static(value)
		}
		return "", false
	}
	var b strings.Builder
	for _, part := range flatParts(w.Parts) {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(unescapeQuoted(part.Value))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		default:
			b.WriteString(placeholder)
		}
	}
	return b.String(), true
}

// placeholder is a name that no program defines.
const placeholder = "shellvalue"

func flatParts(parts []syntax.WordPart) []syntax.WordPart {
	var flat []syntax.WordPart
	for _, p := range parts {
		if q, ok := p.(*syntax.DblQuoted); ok {
			flat = append(flat, flatParts(q.Parts)...)
		} else {
			flat = append(flat, p)
		}
	}
	return flat
}
