package rewrite

import (
	"mvdan.cc/sh/v3/syntax"
)

// candidate is a write to a temporary file, with the move that puts it in place.
type candidate struct {
	w    *writer
	move *move
	// stmts are the commands that are replaced by one; what they say of the
	// temporary file does not count as another use of it.
	stmts []*syntax.Stmt
	// place is where the one command goes, drop which statements go, and cut
	// which text.
	place span
	drop  []*syntax.Stmt
	cut   []span
	// after is text behind the command.
	after string
	// endsList: the place is the end of a list of && whose failure set -e ignores.
	endsList bool
	// reason is why the sequence must stay as it is.
	reason string
}

func (s *script) add(c *candidate) {
	if !s.isDocument(c.w, c.move.to) {
		if s.printsJSON(c.w) && variable(c.move.to) != "" {
			s.leave(c.w.stmt, "jq to a temporary file, then mv", "it is not known whether jq reads the file that it replaces, or another")
		}
		return
	}
	for _, stmt := range c.stmts {
		s.claimed[stmt] = true
	}
	s.candidates = append(s.candidates, c)
}

// findMoves looks for a write to a temporary file in the i-th statement, whose move
// is in the same list of && and ||, or in one of the next statements.
func (s *script) findMoves(list []*syntax.Stmt, i int) {
	if _, ok := list[i].Cmd.(*syntax.IfClause); ok {
		s.findInIf(list, i)
		return
	}
	steps := flatten(list[i])
	for k := range steps {
		w, ok := writerOf(steps[k].stmt)
		if !ok || w.stmt.Negated || s.claimed[w.stmt] {
			continue
		}
		if s.findInSteps(list[i], steps, k, w) {
			continue
		}
		if k == len(steps)-1 && (k == 0 || steps[k].op == syntax.AndStmt) {
			s.findBehind(list, i, steps, w)
		} else if k == len(steps)-2 && steps[k+1].op == syntax.OrStmt && s.terminates(steps[k+1].stmt, 1) {
			s.findNext(list, i, w, nil)
		}
	}
}

// findInSteps is for W > T && mv T F.
func (s *script) findInSteps(stmt *syntax.Stmt, steps []step, k int, w *writer) bool {
	temp := s.key(w.to)
	c := &candidate{w: w, stmts: []*syntax.Stmt{w.stmt}}
	for j := k + 1; j < len(steps) && steps[j].op == syntax.AndStmt; j++ {
		next := steps[j].stmt
		m, ok := s.moveOf(next)
		if ok && s.key(m.from) == temp {
			c.move, c.stmts = m, append(c.stmts, next)
			end := next
			if m.copies && j+1 < len(steps) && steps[j+1].op == syntax.AndStmt && s.removes(steps[j+1].stmt, temp) {
				j++
				end = steps[j].stmt
				c.stmts = append(c.stmts, end)
			}
			c.place = span{s.bare(w.stmt).from, s.bare(end).to}
			c.endsList = j == len(steps)-1 && !s.condition[stmt]
			if steps[k].op == syntax.OrStmt {
				c.reason = "the move runs also where the command before || succeeds"
			}
			s.add(c)
			return true
		}
		switch {
		case s.isCheck(next, temp):
		case s.setsMode(next, temp):
			c.after += " && " + s.modeOf(next)
		default:
			return false
		}
		c.stmts = append(c.stmts, next)
	}
	return false
}

// removes tells whether a command removes the temporary file and nothing else.
func (s *script) removes(stmt *syntax.Stmt, temp string) bool {
	c, ok := callOf(stmt)
	if !ok || c.name != "rm" || stmt.Negated {
		return false
	}
	words, ok := c.operands("f")
	return ok && len(words) == 1 && s.key(words[0]) == temp
}

// setsMode tells chmod MODE TEMP, which must be done to the file itself then.
func (s *script) setsMode(stmt *syntax.Stmt, temp string) bool {
	c, ok := callOf(stmt)
	return ok && (c.name == "chmod" || c.name == "chown" || c.name == "chgrp") && len(c.args) == 2 && s.key(c.args[1]) == temp
}

func (s *script) modeOf(stmt *syntax.Stmt) string {
	c, _ := callOf(stmt)
	return c.name + " " + s.src(c.args[0]) + " " + fileMark
}

// fileMark stands for the file in the text behind a candidate, until it is known.
const fileMark = "\x00"

// findBehind is for W > T, a new line and mv T F, with harmless commands between.
func (s *script) findBehind(list []*syntax.Stmt, i int, steps []step, w *writer) {
	temp := s.key(w.to)
	c := &candidate{w: w, stmts: []*syntax.Stmt{w.stmt}}
	between := 0
	for j := i + 1; j < len(list); j++ {
		if s.statusCheck(list, i, j, c) {
			return
		}
		next := s.skipChecks(c, flatten(list[j]), temp)
		m, ok := s.moveOf(next[0].stmt)
		if ok && s.key(m.from) == temp {
			c.move, c.stmts = m, append(c.stmts, next[0].stmt)
			if between == 0 && len(steps) == 1 && len(next) > 1 && !s.names.errexit {
				// What follows the move depends on the whole now.
				c.place, c.drop = s.bare(next[0].stmt), []*syntax.Stmt{list[i]}
				c.place.from = s.bare(list[j]).from
				s.add(c)
			} else if s.dropMove(c, list[j], next) {
				c.place = s.bare(w.stmt)
				s.add(c)
			}
			return
		}
		switch {
		case len(next) > 1:
			return
		case s.isCheck(list[j], temp):
			if !s.names.errexit {
				return
			}
			c.stmts, c.drop = append(c.stmts, list[j]), append(c.drop, list[j])
		case s.setsMode(list[j], temp):
			c.stmts, c.drop = append(c.stmts, list[j]), append(c.drop, list[j])
			c.after += "\n" + s.indent(list[j]) + s.modeOf(list[j])
		case s.onlyPrints(list[j], temp, w):
		default:
			return
		}
		between++
	}
}

// skipChecks takes the checks off the beginning of [ -s T ] && mv T F.
func (s *script) skipChecks(c *candidate, steps []step, temp string) []step {
	rest := steps
	for len(rest) > 1 && rest[1].op == syntax.AndStmt && s.isCheck(rest[0].stmt, temp) {
		rest = rest[1:]
	}
	if m, ok := s.moveOf(rest[0].stmt); !ok || s.key(m.from) != temp {
		return steps
	}
	for _, st := range steps[:len(steps)-len(rest)] {
		c.stmts = append(c.stmts, st.stmt)
	}
	return rest
}

func (s *script) indent(stmt *syntax.Stmt) string {
	at := int(stmt.Pos().Offset())
	from := at
	for from > 0 && (s.text[from-1] == ' ' || s.text[from-1] == '\t') {
		from--
	}
	return s.text[from:at]
}

func (s *script) onlyPrints(stmt *syntax.Stmt, temp string, w *writer) bool {
	c, ok := callOf(stmt)
	return ok && s.isPrinter(c) && len(stmt.Redirs) == 0 && !s.mentions(stmt, temp)
}

// findNext is for a move in the statement behind, where that is reached only if
// the write succeeded.
func (s *script) findNext(list []*syntax.Stmt, i int, w *writer, place *span) {
	temp := s.key(w.to)
	c := &candidate{w: w, stmts: []*syntax.Stmt{w.stmt}, place: s.bare(w.stmt)}
	if place != nil {
		c.place = *place
	}
	for j := i + 1; j < len(list); j++ {
		next := flatten(list[j])
		m, ok := s.moveOf(next[0].stmt)
		if ok && s.key(m.from) == temp {
			c.move, c.stmts = m, append(c.stmts, next[0].stmt)
			if s.dropMove(c, list[j], next) {
				s.add(c)
			}
			return
		}
		if len(next) == 1 && s.onlyPrints(list[j], temp, w) {
			continue
		}
		return
	}
}

// dropMove takes the first step out of a statement.
func (s *script) dropMove(c *candidate, stmt *syntax.Stmt, steps []step) bool {
	switch {
	case len(steps) == 1, len(steps) == 2 && steps[1].op == syntax.OrStmt:
		c.drop = append(c.drop, stmt)
		for _, st := range steps {
			c.stmts = append(c.stmts, st.stmt)
		}
	case steps[1].op == syntax.AndStmt:
		c.cut = append(c.cut, span{s.bare(stmt).from, int(steps[1].stmt.Pos().Offset())})
	default:
		return false
	}
	return true
}

// statusCheck is for W > T and then if [ $? -eq 0 ]; then mv T F, and for
// if [ -s T ]; then mv T F.
func (s *script) statusCheck(list []*syntax.Stmt, i, j int, c *candidate) bool {
	cond, ok := list[j].Cmd.(*syntax.IfClause)
	if !ok || len(cond.Cond) != 1 || j != i+1 || s.names.errexit {
		return false
	}
	temp := s.key(c.w.to)
	switch s.statusTest(cond.Cond[0]) {
	case "-eq":
		if s.takeFromThen(c, cond) {
			c.place = s.bare(c.w.stmt)
			s.add(c)
			return true
		}
		return false
	case "-ne":
		if cond.Else == nil && len(cond.Then) > 0 && s.terminates(cond.Then[len(cond.Then)-1], 1) {
			place := s.bare(c.w.stmt)
			s.findNext(list, j, c.w, &place)
		}
		return true
	}
	for _, st := range flatten(cond.Cond[0]) {
		if st.op == syntax.OrStmt || !s.isCheck(st.stmt, temp) {
			return false
		}
		c.stmts = append(c.stmts, st.stmt)
	}
	if len(flatten(list[i])) == 1 && s.takeFromThen(c, cond) {
		c.place = s.bare(cond.Cond[0])
		c.drop = append(c.drop, list[i])
		s.add(c)
		return true
	}
	return false
}

// statusTest is the comparison in [ $? -eq 0 ].
func (s *script) statusTest(stmt *syntax.Stmt) string {
	c, ok := callOf(stmt)
	if ok && (c.name == "[" || c.name == "test") && len(c.args) >= 3 && variable(c.args[0]) == "?" && c.args[2].Lit() == "0" {
		return c.args[1].Lit()
	}
	if t, ok := stmt.Cmd.(*syntax.TestClause); ok {
		b, ok := t.X.(*syntax.BinaryTest)
		if !ok {
			return ""
		}
		x, okX := b.X.(*syntax.Word)
		y, okY := b.Y.(*syntax.Word)
		if okX && okY && variable(x) == "?" && y.Lit() == "0" {
			return b.Op.String()
		}
	}
	return ""
}

// takeFromThen takes the move out of the beginning of a then branch.
func (s *script) takeFromThen(c *candidate, cond *syntax.IfClause) bool {
	temp := s.key(c.w.to)
	for _, stmt := range cond.Then {
		steps := flatten(stmt)
		m, ok := s.moveOf(steps[0].stmt)
		if ok && s.key(m.from) == temp {
			c.move, c.stmts = m, append(c.stmts, steps[0].stmt)
			return s.dropMove(c, stmt, steps)
		}
		if len(steps) > 1 || !s.onlyPrints(stmt, temp, c.w) {
			return false
		}
	}
	return false
}

// findInIf is for if W > T; then mv T F, and if ! W > T; then exit; fi; mv T F.
func (s *script) findInIf(list []*syntax.Stmt, i int) {
	cond := list[i].Cmd.(*syntax.IfClause)
	for ; cond != nil; cond = cond.Else {
		if len(cond.Cond) != 1 {
			continue
		}
		s.findInCondition(list, i, cond)
	}
}

func (s *script) findInCondition(list []*syntax.Stmt, i int, cond *syntax.IfClause) {
	steps := flatten(cond.Cond[0])
	for k, st := range steps {
		w, ok := writerOf(st.stmt)
		if !ok || s.claimed[w.stmt] {
			continue
		}
		c := &candidate{w: w, stmts: []*syntax.Stmt{w.stmt}}
		if w.stmt.Negated {
			if len(steps) == 1 && cond.Else == nil && len(cond.Then) > 0 && s.terminates(cond.Then[len(cond.Then)-1], 1) {
				s.findNext(list, i, w, nil)
			}
			return
		}
		checked := st.op != syntax.OrStmt
		for _, next := range steps[k+1:] {
			checked = checked && next.op == syntax.AndStmt && s.isCheck(next.stmt, s.key(w.to))
			c.stmts = append(c.stmts, next.stmt)
		}
		if checked && s.takeFromThen(c, cond) {
			c.place = span{s.bare(w.stmt).from, s.bare(steps[len(steps)-1].stmt).to}
			s.add(c)
			return
		}
	}
}
