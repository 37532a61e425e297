package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sources are what is broken: all of three packages, and the commit path of txn.
var sources = []string{
	"wal/*.go", "recover/*.go", "lockmgr/*.go",
	"txn/commit.go", "txn/place.go", "txn/withdraw.go", "txn/session.go", "txn/workspace.go", "txn/compact.go", "txn/setaside.go",
}

// mutant is a change of one file's text.
type mutant struct {
	name     string
	file     string
	pkg      string // its directory
	from, to int    // the bytes that are replaced
	text     string
}

func allMutants() (all []mutant, err error) {
	for _, pattern := range sources {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no %s here: run it at the top of the repository", pattern)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || otherSystem.MatchString(file) {
				continue
			}
			of, err := mutantsOf(file)
			if err != nil {
				return nil, err
			}
			all = append(all, of...)
		}
	}
	return all, nil
}

var otherSystem = regexp.MustCompile(`_(other|darwin|windows)\.go$`)

// finder walks one file.
type finder struct {
	fset  *token.FileSet
	text  []byte
	file  string
	fn    string
	found []mutant
	times map[string]int // how often a name was given
}

func mutantsOf(file string) ([]mutant, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &finder{fset: token.NewFileSet(), text: text, file: file, times: map[string]int{}}
	tree, err := parser.ParseFile(f.fset, file, text, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range tree.Decls {
		if consts, ok := d.(*ast.GenDecl); ok && consts.Tok == token.CONST {
			f.fn = filepath.Dir(file)
			ast.Inspect(consts, f.modes)
		}
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		f.fn = filepath.Dir(file) + "." + fn.Name.Name
		if fn.Recv != nil {
			f.fn = filepath.Dir(file) + "." + strings.Trim(f.source(fn.Recv.List[0].Type), "*") + "." + fn.Name.Name
		}
		ast.Inspect(fn.Body, f.visit)
	}
	return f.found, nil
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) source(n ast.Node) string {
	return string(f.text[f.offset(n.Pos()):f.offset(n.End())])
}

// add notes a mutant: what is done to n, which is shown, and what replaces a part of it.
func (f *finder) add(what string, n ast.Node, from, to token.Pos, text string) {
	shown := strings.Join(strings.Fields(f.source(n)), " ")
	if len(shown) > 90 {
		shown = shown[:90] + "…"
	}
	name := fmt.Sprintf("%s: %s: %s", f.fn, what, shown)
	if f.times[name]++; f.times[name] > 1 {
		name += fmt.Sprintf(" #%d", f.times[name])
	}
	f.found = append(f.found, mutant{name, f.file, filepath.Dir(f.file), f.offset(from), f.offset(to), text})
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BlockStmt:
		f.swapSteps(n.List)
	case *ast.IfStmt:
		f.ifStmt(n)
	case *ast.BinaryExpr:
		f.compare(n)
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && !quiet.MatchString(f.source(call.Fun)) {
			f.add("leave out", n, n.Pos(), n.End(), "")
		}
	case *ast.CallExpr:
		if f.source(n.Fun) == "os.SameFile" {
			f.add("say yes", n, n.Pos(), n.End(), "("+f.source(n)+" || true)")
		}
	case *ast.BasicLit:
		f.mode(n, n)
	case *ast.ReturnStmt:
		if len(n.Results) == 1 && syncs.MatchString(f.source(n.Results[0])) {
			f.add("leave out the sync", n, n.Results[0].Pos(), n.Results[0].End(), "nil")
		}
	}
	return true
}

var (
	// syncs are calls that make something durable, or note that it is.
	syncs = regexp.MustCompile(`\b(Sync|Datasync|SyncDir|SyncState|SyncFound|SyncAgain|Secure|syncName|MarkPending|Settle)\([^()]*(\([^()]*\))?[^()]*\)$`)
	// quiet calls change nothing that a test could see.
	quiet = regexp.MustCompile(`^(fsys\.Step|f\.Close|.*\.Close|.*\.Stop|cancel|close|.*\.close|runtime\.KeepAlive|.*[uU]nlock|.*\.leave|release)$`)
)

// modes widens what a constant says.
func (f *finder) modes(n ast.Node) bool {
	if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
		if lit, ok := v.Values[0].(*ast.BasicLit); ok {
			f.mode(v, lit)
		}
	}
	return true
}

// mode opens to all what a mode keeps for one.
func (f *finder) mode(shown ast.Node, lit *ast.BasicLit) {
	switch lit.Value {
	case "0o600":
		f.add("open it to all", shown, lit.Pos(), lit.End(), "0o644")
	case "0o700":
		f.add("open it to all", shown, lit.Pos(), lit.End(), "0o755")
	}
}

// ifStmt ignores an error, or the sync that could have one.
func (f *finder) ifStmt(n *ast.IfStmt) {
	cond, ok := n.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ || f.source(cond.Y) != "nil" || !strings.HasSuffix(f.source(cond.X), "rr") {
		return
	}
	f.add("ignore the error", headOf(n), cond.Pos(), cond.End(), f.source(cond)+" && false")
	if init, ok := n.Init.(*ast.AssignStmt); ok && len(init.Rhs) == 1 && syncs.MatchString(f.source(init.Rhs[0])) {
		f.add("leave out the sync", headOf(n), init.Rhs[0].Pos(), init.Rhs[0].End(), "error(nil)")
	}
}

// head is an if statement without its body.
type head struct{ *ast.IfStmt }

func headOf(n *ast.IfStmt) head { return head{n} }

func (h head) End() token.Pos { return h.Body.Pos() }

var other = map[token.Token]string{
	token.EQL: "!=", token.NEQ: "==", token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.LAND: "||", token.LOR: "&&",
}

func (f *finder) compare(n *ast.BinaryExpr) {
	text, ok := other[n.Op]
	if !ok || f.source(n.Y) == "nil" && strings.HasSuffix(f.source(n.X), "rr") {
		return // that is ignored, see ifStmt
	}
	f.add("say "+text, n, n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), text)
}

// swapSteps puts a step before the one that it follows, each of which may fail.
func (f *finder) swapSteps(list []ast.Stmt) {
	for i := range list[:max(len(list)-1, 0)] {
		a, okA := list[i].(*ast.IfStmt)
		b, okB := list[i+1].(*ast.IfStmt)
		if !okA || !okB || a.Init == nil || b.Init == nil || a.Else != nil || b.Else != nil || !bytes.Contains(f.text[f.offset(a.Pos()):f.offset(a.Body.Pos())], []byte("err")) {
			continue
		}
		between := string(f.text[f.offset(a.End()):f.offset(b.Pos())])
		f.add("do it first", headOf(b), a.Pos(), b.End(), f.source(b)+between+f.source(a))
	}
}

// broken is the file's text with the mutant in it.
func (m mutant) broken() ([]byte, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	return slices.Concat(text[:m.from], []byte(m.text), text[m.to:]), nil
}
