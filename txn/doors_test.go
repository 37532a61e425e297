package txn

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// passes are the functions that may take a lock, open a journal or read one, by what they
// call. What holds at the two doors, for every feature, would not hold for one that found
// a way of its own.
var passes = map[string][]string{
	// The door to look and the door to act; then the locks that are none of a tracked
	// file: of a whole workspace, of its settings, of an open transaction.
	"Locks.Acquire": {"look.round", "session.lock", "Site.takeOver", "Source.headsOfMany", "house.endWorkspace", "Site.ChangeSettings", "Site.Unmake", "OpenTx.lock"},

	"wal.Open":      {"Site.OpenLog"}, // for a session
	"recovery.Peek": {"Source.peek"},  // for a look
	"wal.Tail":      {"Site.believed"},
	"wal.ReadState": {"Site.Stands"},
	"wal.Inspect":   {"house.inspect", "house.mustBeDamaged"}, // of a file that one of the doors has locked

	// versions.go is the only reader of records.
	"wal.Scan":       {"Source.Records", "Source.VersionsFrom"},
	"wal.ScanBack":   {"Source.RecordsBack"},
	"wal.Seek":       {"Source.LastWhere"},
	"wal.First":      {"Source.Dropped"},
	"wal.ReadRecord": nil,
}

// rooms are the folders of the packages that have to do with tracked files.
var rooms = []string{".", "internal/*", "history", "admin"}

// TestNothingPassesByTheDoors looks at every call in the rooms.
func TestNothingPassesByTheDoors(t *testing.T) {
	found := map[string]map[string]bool{}
	for _, name := range productFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			where := "a variable in " + name
			if fn, ok := decl.(*ast.FuncDecl); ok {
				where = nameOf(fn)
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if callee := calleeOf(sel); doorFor(callee) {
						if found[callee] == nil {
							found[callee] = map[string]bool{}
						}
						found[callee][where] = true
					}
				}
				return true
			})
		}
	}
	for callee, allowed := range passes {
		got := slices.Sorted(maps.Keys(found[callee]))
		want := slices.Sorted(slices.Values(allowed))
		require.Equal(t, want, got, "%s is called by", callee)
	}
}

func productFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, room := range rooms {
		all, err := filepath.Glob(filepath.Join(room, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, all, room)
		files = append(files, all...)
	}
	return slices.DeleteFunc(files, func(name string) bool {
		return strings.HasSuffix(name, "_test.go") || filepath.Base(filepath.Dir(name)) == "storetest" // what tests share
	})
}

func doorFor(callee string) bool { _, ok := passes[callee]; return ok }

// calleeOf is the last two words of a chain of selectors.
func calleeOf(sel *ast.SelectorExpr) string {
	switch x := sel.X.(type) {
	case *ast.Ident:
		return x.Name + "." + sel.Sel.Name
	case *ast.SelectorExpr:
		return x.Sel.Name + "." + sel.Sel.Name
	}
	return "." + sel.Sel.Name
}

// nameOf is a function's name, with its receiver's type.
func nameOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return "?." + fn.Name.Name
}
