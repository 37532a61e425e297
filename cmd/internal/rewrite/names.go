package rewrite

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// names are what a script declares.
type names struct {
	funcs   map[string]*syntax.FuncDecl
	assigns map[string][]*syntax.Assign
	// others are variables that get values in other ways: loops, read, local
	// without a value.
	others map[string]bool
	// fed is what read and mapfile take the values of variables from.
	fed     map[string][]syntax.Node
	inFunc  map[syntax.Node]*syntax.FuncDecl
	errexit bool
	// pipefail tells that a pipeline fails with what a command before its last has.
	pipefail bool
	// noclobber tells of set -C, by which > fails where the file is there.
	noclobber bool
}

func collectNames(file *syntax.File) names {
	n := names{
		funcs: map[string]*syntax.FuncDecl{}, assigns: map[string][]*syntax.Assign{},
		others: map[string]bool{}, fed: map[string][]syntax.Node{}, inFunc: map[syntax.Node]*syntax.FuncDecl{},
	}
	var within []*syntax.FuncDecl
	var open []syntax.Node
	syntax.Walk(file, func(node syntax.Node) bool {
		if node == nil {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if _, ok := last.(*syntax.FuncDecl); ok {
				within = within[:len(within)-1]
			}
			return true
		}
		open = append(open, node)
		if fn, ok := node.(*syntax.FuncDecl); ok {
			within = append(within, fn)
		}
		if len(within) > 0 {
			n.inFunc[node] = within[len(within)-1]
		}
		n.note(node)
		return true
	})
	return n
}

func (n *names) note(node syntax.Node) {
	switch node := node.(type) {
	case *syntax.File:
		for _, stmt := range node.Stmts {
			for _, c := range stmt.Comments {
				n.errexit = n.errexit || strings.HasPrefix(c.Text, "!") && flagsWith(strings.Fields(c.Text), 'e')
			}
		}
	case *syntax.FuncDecl:
		if node.Name != nil {
			n.funcs[node.Name.Value] = node
		}
	case *syntax.Assign:
		if node.Name == nil {
			return
		}
		if node.Value == nil || node.Append || node.Index != nil {
			n.others[node.Name.Value] = true
			return
		}
		n.assigns[node.Name.Value] = append(n.assigns[node.Name.Value], node)
	case *syntax.Stmt:
		for _, r := range node.Redirs {
			n.feed(node, r.Word)
		}
	case *syntax.BinaryCmd:
		if node.Op == syntax.Pipe {
			n.feed(node.Y, node.X)
		}
	case *syntax.WordIter:
		n.others[node.Name.Value] = true
	case *syntax.CallExpr:
		n.noteCall(node)
	}
}

// feed notes what the variables that a command reads are read from.
func (n *names) feed(command, source syntax.Node) {
	syntax.Walk(command, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		switch call.Args[0].Lit() {
		case "read", "mapfile", "readarray":
			for _, w := range call.Args[1:] {
				n.fed[w.Lit()] = append(n.fed[w.Lit()], source)
			}
		}
		return true
	})
}

func (n *names) noteCall(call *syntax.CallExpr) {
	var words []string
	for _, w := range call.Args {
		words = append(words, w.Lit())
	}
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "set":
		if flagsWith(words[1:], 'e') || strings.Contains(strings.Join(words, " "), "-o errexit") {
			n.errexit = true
		}
		n.pipefail = n.pipefail || slices.Contains(words[1:], "pipefail")
		if flagsWith(words[1:], 'C') || strings.Contains(strings.Join(words, " "), "-o noclobber") {
			n.noclobber = true
		}
	case "read", "mapfile", "readarray", "getopts":
		for _, w := range words[1:] {
			n.others[w] = true
		}
	}
}

// flagsWith tells whether one of the words is a group of short flags with c.
func flagsWith(words []string, c byte) bool {
	for _, w := range words {
		if len(w) > 1 && w[0] == '-' && w[1] != '-' && strings.IndexByte(w, c) > 0 {
			return true
		}
	}
	return false
}

// once is the value of a variable that the script sets in one place only.
func (n *names) once(name string) *syntax.Word {
	if a := n.assigns[name]; len(a) == 1 && !n.others[name] {
		return a[0].Value
	}
	return nil
}

func (s *script) collectLists() {
	var open []syntax.Node
	syntax.Walk(s.file, func(node syntax.Node) bool {
		if node == nil {
			open = open[:len(open)-1]
			return true
		}
		if len(open) > 0 {
			s.parents[node] = open[len(open)-1]
		}
		open = append(open, node)
		switch node := node.(type) {
		case *syntax.File:
			s.addList(node.Stmts)
		case *syntax.Block:
			s.addList(node.Stmts)
		case *syntax.Subshell:
			s.addList(node.Stmts)
		case *syntax.CmdSubst:
			s.addList(node.Stmts)
		case *syntax.ProcSubst:
			s.addList(node.Stmts)
		case *syntax.IfClause:
			s.addCondition(node.Cond)
			s.addList(node.Then)
		case *syntax.WhileClause:
			s.addCondition(node.Cond)
			s.addList(node.Do)
		case *syntax.ForClause:
			s.addList(node.Do)
		case *syntax.CaseItem:
			s.addList(node.Stmts)
		case *syntax.FuncDecl:
			if _, block := node.Body.Cmd.(*syntax.Block); !block {
				s.addList([]*syntax.Stmt{node.Body})
			}
		case *syntax.Stmt:
			s.noteMove(node)
		}
		return true
	})
}

func (s *script) addList(list []*syntax.Stmt) {
	if len(list) == 0 {
		return
	}
	s.lists = append(s.lists, list)
	for _, stmt := range list {
		s.listOf[stmt] = list
	}
}

// addCondition notes statements whose failure set -e ignores.
func (s *script) addCondition(list []*syntax.Stmt) {
	s.addList(list)
	for _, stmt := range list {
		s.condition[stmt] = true
	}
}

// step is a command in a list of && and ||.
type step struct {
	op   syntax.BinCmdOperator // before it; 0 for the first
	stmt *syntax.Stmt
}

// flatten takes a list of && and || apart. Both have one precedence and group to
// the left, so the steps run one after the other, each depending on the status so
// far.
func flatten(stmt *syntax.Stmt) []step {
	b, ok := stmt.Cmd.(*syntax.BinaryCmd)
	if !ok || b.Op != syntax.AndStmt && b.Op != syntax.OrStmt || stmt.Negated || len(stmt.Redirs) > 0 {
		return []step{{stmt: stmt}}
	}
	steps := flatten(b.X)
	right := flatten(b.Y)
	right[0].op = b.Op
	return append(steps, right...)
}
