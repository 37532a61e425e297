package rewrite

import (
	"mvdan.cc/sh/v3/syntax"
)

// numberCounts tells whether the number that a command fails with may be seen: by $?,
// by set -e, or by who runs the script. Where only its success counts, in a condition
// or before other commands, jtx's own codes do.
func (s *script) numberCounts(stmt *syntax.Stmt) bool {
	exempt := false // from set -e
	for node := syntax.Node(stmt); ; {
		up := s.parents[node]
		switch p := up.(type) {
		case nil:
			return true
		case *syntax.Stmt:
			if p.Negated {
				return false
			}
		case *syntax.BinaryCmd:
			switch {
			case p.Y == node:
			case p.Op == syntax.OrStmt:
				return s.readsStatus(p.Y)
			case p.Op == syntax.AndStmt:
				exempt = true
			default: // the left side of a pipe
				if !s.names.pipefail {
					return false
				}
			}
		case *syntax.FuncDecl:
			return true
		}
		if at, ok := node.(*syntax.Stmt); ok && s.listOf[at] != nil {
			if s.condition[at] {
				return s.readsStatus(up)
			}
			if s.names.errexit && !exempt {
				return true
			}
			if next := s.behind(at); next != nil {
				return s.readsStatus(next)
			}
		}
		node = up
	}
}

// behind is the statement that runs after another in its list.
func (s *script) behind(stmt *syntax.Stmt) *syntax.Stmt {
	list := s.listOf[stmt]
	for i, other := range list[:len(list)-1] {
		if other == stmt {
			return list[i+1]
		}
	}
	return nil
}

// readsStatus tells whether a command sees what the one before it has failed with: in
// $?, other than compared with 0, or in exit and return without a number.
func (s *script) readsStatus(n syntax.Node) bool {
	found := false
	syntax.Walk(n, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.Stmt:
			if s.statusTest(node) != "" {
				return false
			}
			if c, ok := callOf(node); ok && (c.name == "exit" || c.name == "return") && len(c.args) == 0 {
				found = true
			}
		case *syntax.ParamExp:
			found = found || node.Param != nil && node.Param.Value == "?"
		}
		return !found
	})
	return found
}
