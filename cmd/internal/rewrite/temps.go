package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// temp is a temporary file, and everything that the script says of it.
type temp struct {
	word *syntax.Word
	key  string
	name string // of the variable that holds it, where one does
	in   *syntax.FuncDecl

	assigns []*syntax.Stmt // that set the variable
	made    bool           // by mktemp: it is there before it is written
	removed []use
	traps   []*syntax.Stmt
	others  []use
	fixed   bool // something about it can't be taken out
}

type use struct {
	word *syntax.Word
	stmt *syntax.Stmt
}

// survey collects what the script says of a temporary file, but for the commands
// in claimed.
func (s *script) survey(w *syntax.Word, claimed map[*syntax.Stmt]bool) *temp {
	t := &temp{word: w, key: s.key(w), name: variable(w)}
	if t.name != "" && s.isLocal(t.name, s.names.inFunc[w]) {
		t.in = s.names.inFunc[w]
	}
	var stmts []*syntax.Stmt
	var open []syntax.Node
	syntax.Walk(s.file, func(n syntax.Node) bool {
		if n == nil {
			if _, ok := open[len(open)-1].(*syntax.Stmt); ok {
				stmts = stmts[:len(stmts)-1]
			}
			open = open[:len(open)-1]
			return true
		}
		open = append(open, n)
		if stmt, ok := n.(*syntax.Stmt); ok {
			stmts = append(stmts, stmt)
		}
		if len(stmts) > 0 && (t.in == nil || s.names.inFunc[n] == t.in) {
			s.noteUse(t, n, stmts[len(stmts)-1], claimed)
		}
		return true
	})
	return t
}

func (s *script) isLocal(name string, fn *syntax.FuncDecl) bool {
	if fn == nil {
		return false
	}
	found := false
	syntax.Walk(fn, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.DeclClause); ok {
			for _, a := range d.Args {
				found = found || a.Name != nil && a.Name.Value == name
			}
		}
		return !found
	})
	return found
}

func (s *script) noteUse(t *temp, n syntax.Node, stmt *syntax.Stmt, claimed map[*syntax.Stmt]bool) {
	switch n := n.(type) {
	case *syntax.Assign:
		if t.name != "" && n.Name != nil && n.Name.Value == t.name && n.Value != nil {
			t.assigns = append(t.assigns, stmt)
			value := s.src(n.Value)
			t.made = t.made || strings.Contains(value, "mktemp") || strings.Contains(value, "tempfile")
			t.fixed = t.fixed || !loneAssign(stmt) || n.Append || strings.Contains(value, "mktemp -d")
		}
	case *syntax.CallExpr:
		if c, ok := callOf(&syntax.Stmt{Cmd: n}); ok && c.name == "trap" && len(c.args) > 1 {
			s.noteTrap(t, c, stmt)
		}
	case *syntax.Word:
		if claimed[stmt] || !s.isTemp(t, n) {
			return
		}
		c, ok := callOf(stmt)
		switch {
		case ok && c.name == "trap":
		case ok && c.name == "rm" && s.key(n) == t.key:
			t.removed = append(t.removed, use{n, stmt})
		case ok && (c.name == "[" || c.name == "test") && strings.Contains("-n -z", firstLit(c.args)):
			t.fixed = true
		default:
			t.others = append(t.others, use{n, stmt})
		}
	}
}

// loneAssign tells a statement that sets one variable and does nothing else.
func loneAssign(stmt *syntax.Stmt) bool {
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		return len(cmd.Args) == 0 && len(cmd.Assigns) == 1
	case *syntax.DeclClause:
		return len(cmd.Args) == 1 && (cmd.Variant.Value == "local" || cmd.Variant.Value == "declare" || cmd.Variant.Value == "typeset")
	}
	return false
}

// isTemp tells whether a word is about the temporary file.
func (s *script) isTemp(t *temp, w *syntax.Word) bool {
	if t.name == "" {
		return s.key(w) == t.key
	}
	found := false
	for _, part := range flatParts(w.Parts) {
		if p, ok := part.(*syntax.ParamExp); ok && p.Param != nil && p.Param.Value == t.name {
			found = true
		}
	}
	return found
}

// noteTrap looks into the commands of a trap.
func (s *script) noteTrap(t *temp, c *call, stmt *syntax.Stmt) {
	body := s.src(c.args[0])
	if n := len(body); n >= 2 && body[0] == body[n-1] && strings.ContainsRune(`'"`, rune(body[0])) {
		body = body[1 : n-1]
	}
	about := t.key
	if t.name != "" {
		about = t.name
	}
	if !strings.Contains(body, about) {
		return
	}
	inner, err := parseAs(body, syntax.LangBash)
	if err != nil || len(inner.Stmts) != 1 {
		t.fixed = true
		return
	}
	call, ok := callOf(inner.Stmts[0])
	if !ok || call.name != "rm" {
		t.fixed = true
		return
	}
	if words, ok := call.operands("f"); ok && len(words) == 1 {
		t.traps = append(t.traps, stmt)
		return
	}
	t.fixed = true
}

// removable tells whether everything about the temporary file can be taken out of
// the script: then it is never made.
func (s *script) removable(t *temp) bool {
	if t.fixed || t.name == "" {
		return false
	}
	for _, stmt := range slices.Concat(t.assigns, t.traps) {
		if _, ok := s.takeOut(stmt, ""); !ok {
			return false
		}
	}
	for _, u := range t.removed {
		if c, _ := callOf(u.stmt); c.name != "rm" || len(u.stmt.Redirs) > 0 && s.listOf[u.stmt] == nil {
			return false
		}
	}
	return true
}

// takeOut finds how a statement can be left out: whole, or as a step of a list.
func (s *script) takeOut(stmt *syntax.Stmt, instead string) (edits []edit, ok bool) {
	if s.listOf[stmt] != nil {
		return nil, true
	}
	for _, list := range s.lists {
		for _, whole := range list {
			steps := flatten(whole)
			for k, st := range steps {
				if st.stmt == stmt {
					return s.takeStep(whole, steps, k, instead)
				}
			}
		}
	}
	return nil, false
}

func (s *script) takeStep(whole *syntax.Stmt, steps []step, k int, instead string) ([]edit, bool) {
	switch {
	case instead != "":
		return []edit{{s.bare(steps[k].stmt), instead}}, true
	case k+1 < len(steps) && steps[k+1].op == syntax.AndStmt && steps[k].op != syntax.OrStmt:
		return []edit{{span{int(steps[k].stmt.Pos().Offset()), int(steps[k+1].stmt.Pos().Offset())}, ""}}, true
	case k == 0 && len(steps) == 2 && steps[1].op == syntax.OrStmt:
		return []edit{{s.wholeLines(whole), ""}}, true
	}
	return nil, false
}

// remove takes everything about the temporary file out.
func (s *script) remove(t *temp) {
	for _, stmt := range slices.Concat(t.assigns, t.traps) {
		s.takeAway(stmt, "")
	}
	for _, u := range t.removed {
		c, _ := callOf(u.stmt)
		if words, _ := c.operands("frv"); len(words) > 1 {
			from := int(u.word.Pos().Offset())
			for s.text[from-1] == ' ' {
				from--
			}
			s.replace(span{from, int(u.word.End().Offset())}, "")
			continue
		}
		s.takeAway(u.stmt, ":")
	}
}

func (s *script) takeAway(stmt *syntax.Stmt, instead string) {
	if s.listOf[stmt] != nil {
		s.drop(stmt)
		return
	}
	edits, _ := s.takeOut(stmt, instead)
	s.edits = append(s.edits, edits...)
}

// keepRemovals makes rm TEMP not fail where TEMP is not made any more.
func (s *script) keepRemovals(t *temp) {
	for _, u := range t.removed {
		c, _ := callOf(u.stmt)
		if words, ok := c.operands(""); ok && len(words) > 0 {
			at := int(c.args[0].Pos().Offset())
			s.replace(span{at, at}, "-f ")
		}
	}
}

func (s *script) lineOf(n syntax.Node) string { return fmt.Sprintf("line %d", n.Pos().Line()) }
