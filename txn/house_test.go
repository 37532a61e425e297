package txn_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the packages by what they may import: those on lower floors, and no other of
// this module. So a feature can be read with what is below it alone, and what all of them rely on
// can't come to rely on one of them.
var floors = []struct{ floor, packages string }{
	{"bytes and the file system", "wal/fsys txn/jsonpatch"},
	{"the journal", "wal txn/backup txn/internal/hooks"},
	{"locks, and what a crash left", "lockmgr recover"},
	{"what went wrong", "txn/internal/fault"},
	{"where", "txn/internal/workspace"},
	{"the journal, read; the log of operations", "txn/internal/versions txn/internal/oplog"},
	{"the two doors", "txn/internal/doors"},
	{"now", "txn"},
	{"then", "txn/history"},
	{"health", "txn/admin"},
	{"programs", "cmd"},
}

const module = "github.com/jtx-project/jtx/"

// floorOf is the floor of a package, or of the folder it is in; -1 where it has none, as
// what tests and measures.
func floorOf(path string) int {
	return slices.IndexFunc(floors, func(f struct{ floor, packages string }) bool {
		return slices.ContainsFunc(strings.Fields(f.packages), func(p string) bool { return p == path || p == "cmd" && strings.HasPrefix(path, "cmd/") })
	})
}

// eachProductFile parses the files of this module that are no tests, for every system.
func eachProductFile(t *testing.T, visit func(dir string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	const root = ".."
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || e.Name() == "node_modules" || strings.HasPrefix(e.Name(), ".") && path != root):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err == nil {
			visit(filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), root+string(filepath.Separator))), fset, file)
		}
		return err
	}))
}

func TestImportsRunDownward(t *testing.T) {
	seen := map[string]bool{}
	eachProductFile(t, func(dir string, _ *token.FileSet, file *ast.File) {
		from := floorOf(dir)
		if from < 0 {
			return
		}
		seen[dir] = true
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			imported, ours := strings.CutPrefix(path, module)
			if !ours || strings.HasPrefix(dir, "cmd/") { // a program may import what it likes
				continue
			}
			to := floorOf(imported)
			require.GreaterOrEqual(t, to, 0, "%s imports %s, which has no floor", dir, imported)
			require.Less(t, to, from, "%s (%s) imports %s (%s)", dir, floors[from].floor, imported, floors[to].floor)
		}
	})
	for _, f := range floors {
		for _, p := range strings.Fields(f.packages) {
			require.True(t, seen[p] || p == "cmd", "%s is not there", p)
		}
	}
}

// TestFunctionsCanBeReadAtOnce: a function longer than a screen does two things.
func TestFunctionsCanBeReadAtOnce(t *testing.T) {
	const most = 61 // lines
	eachProductFile(t, func(dir string, fset *token.FileSet, file *ast.File) {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			require.LessOrEqual(t, lines, most, "%s: %s", dir, fn.Name.Name)
		}
	})
}

// TestStoreIsWhatAUserReachesForFirst: every feature once was a method of Store, 229 of
// them, and found its own way to a file. What tells of the past, or looks after the
// health of the files, takes a store instead.
func TestStoreIsWhatAUserReachesForFirst(t *testing.T) {
	const most, mostExported = 60, 25
	methods, exported := 0, 0
	eachProductFile(t, func(dir string, _ *token.FileSet, file *ast.File) {
		if dir != "txn" {
			return
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !isStore(fn.Recv.List[0].Type) {
				continue
			}
			methods++
			if fn.Name.IsExported() {
				exported++
			}
		}
	})
	require.NotZero(t, exported)
	require.LessOrEqual(t, methods, most)
	require.LessOrEqual(t, exported, mostExported)
}

func isStore(recv ast.Expr) bool {
	star, ok := recv.(*ast.StarExpr)
	if !ok {
		return false
	}
	id, ok := star.X.(*ast.Ident)
	return ok && id.Name == "Store"
}
