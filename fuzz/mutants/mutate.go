package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sources are the directories that are broken, and below txn the files of the commit
// path, wherever they stand.
var (
	sources    = []string{"wal", "recover", "lockmgr"}
	commitPath = []string{"commit.go", "place.go", "withdraw.go", "session.go", "setaside.go", "retention.go", "nearest.go", "activate.go"}
)

// mutant is a change of one file's text.
type mutant struct {
	name     string // of the function and the statement: no path and no receiver, so that it outlives moves
	file     string
	pkg      string // its directory
	from, to int    // the bytes that are replaced
	text     string
}

// key is the name whether or not what it names is exported.
func (m mutant) key() string { return strings.ToLower(m.name) }

// allMutants are those of all sources, in the order of their files.
func allMutants() (all []mutant, err error) {
	files, err := sourceFiles()
	if err != nil {
		return nil, err
	}
	times := map[string]int{} // how often a name was given
	for _, file := range files {
		of, err := mutantsOf(file)
		if err != nil {
			return nil, err
		}
		for _, m := range of {
			if times[m.key()]++; times[m.key()] > 1 {
				m.name += fmt.Sprintf(" #%d", times[m.key()])
			}
			all = append(all, m)
		}
	}
	return all, nil
}

func sourceFiles() (files []string, err error) {
	for _, dir := range sources {
		of, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			return nil, err
		}
		if len(of) == 0 {
			return nil, fmt.Errorf("no %s here: run it at the top of the repository", dir)
		}
		files = append(files, of...)
	}
	found := map[string]bool{}
	err = filepath.WalkDir("txn", func(path string, _ fs.DirEntry, err error) error {
		if base := filepath.Base(path); err == nil && slices.Contains(commitPath, base) {
			found[base] = true
			files = append(files, path)
		}
		return err
	})
	for _, base := range commitPath {
		if err == nil && !found[base] {
			err = fmt.Errorf("no %s below txn any more: see sources", base)
		}
	}
	return slices.DeleteFunc(files, func(file string) bool {
		return strings.HasSuffix(file, "_test.go") || otherSystem.MatchString(file)
	}), err
}

var otherSystem = regexp.MustCompile(`_(other|darwin|windows)\.go$`)

// finder walks one file.
type finder struct {
	fset  *token.FileSet
	text  []byte
	file  string
	fn    string
	found []mutant
}

func mutantsOf(file string) ([]mutant, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &finder{fset: token.NewFileSet(), text: text, file: file}
	tree, err := parser.ParseFile(f.fset, file, text, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range tree.Decls {
		if consts, ok := d.(*ast.GenDecl); ok && consts.Tok == token.CONST {
			f.fn = "const"
			ast.Inspect(consts, f.modes)
		}
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		f.fn = fn.Name.Name
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
	case *ast.SwitchStmt:
		if n.Tag == nil {
			f.cases(n.Body.List)
		}
	case *ast.ReturnStmt:
		f.outcome(n)
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

// cases leaves out each case of a switch that has a condition of its own.
func (f *finder) cases(list []ast.Stmt) {
	for _, c := range list {
		if c, ok := c.(*ast.CaseClause); ok && len(c.List) == 1 {
			f.add("never", c.List[0], c.List[0].Pos(), c.List[0].End(), "("+f.source(c.List[0])+") && false")
		}
	}
}

var uncommitted = []string{"UnitMissing", "UnitSuperseded", "UnitAborted", "UnitUnknown"}

// outcome takes what is missing or not known for committed.
func (f *finder) outcome(n *ast.ReturnStmt) {
	for _, result := range n.Results {
		if id, ok := result.(*ast.Ident); ok && slices.Contains(uncommitted, id.Name) {
			f.add("say committed", n, id.Pos(), id.End(), "UnitComplete")
		}
	}
}

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
