package rewrite

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// span is a range of the script's bytes.
type span struct{ from, to int }

type edit struct {
	span
	text string
}

// applyEdits makes the edits, which don't overlap but where one lies within
// another: then the outer one holds.
func applyEdits(text string, edits []edit) string {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b edit) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	var b strings.Builder
	at := 0
	for _, e := range sorted {
		if e.from < at {
			continue
		}
		b.WriteString(text[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.WriteString(text[at:])
	return b.String()
}

func (s *script) replace(at span, text string) { s.edits = append(s.edits, edit{at, text}) }

// drop takes statements out. A list that would be empty then gets a ":", because
// the grammar wants a command there.
func (s *script) drop(stmts ...*syntax.Stmt) {
	for _, stmt := range stmts {
		s.dropped[stmt] = true
	}
	for _, stmt := range stmts {
		list := s.listOf[stmt]
		left := slices.ContainsFunc(list, func(o *syntax.Stmt) bool { return !s.dropped[o] })
		if !left && len(s.file.Stmts) > 0 && list[0] != s.file.Stmts[0] {
			s.replace(whole(stmt), ":")
			continue
		}
		s.replace(s.wholeLines(stmt), "")
	}
}

// wholeLines widens a statement to its lines where nothing else is on them, else
// to the separator behind it.
func (s *script) wholeLines(stmt *syntax.Stmt) span {
	at := whole(stmt)
	start := strings.LastIndexByte(s.text[:at.from], '\n') + 1
	end := at.to
	for end < len(s.text) && strings.IndexByte(" \t;", s.text[end]) >= 0 {
		end++
	}
	rest := s.text[end:]
	alone := strings.TrimSpace(s.text[start:at.from]) == ""
	switch {
	case alone && (rest == "" || rest[0] == '\n'):
		return span{start, min(end+1, len(s.text))}
	case rest == "" || rest[0] == '\n':
		// The last of several on a line: the separator before it goes too.
		from := at.from
		for from > start && strings.IndexByte(" \t;", s.text[from-1]) >= 0 {
			from--
		}
		if from > start && strings.HasSuffix(s.text[start:from], "do") || strings.HasSuffix(s.text[start:from], "then") || strings.HasSuffix(s.text[start:from], "{") {
			from = at.from
		}
		return span{from, end}
	default:
		return span{at.from, end}
	}
}
