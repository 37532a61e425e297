package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const (
	root         = "../.."
	mostDesign   = 25 << 10 // bytes: what is longer isn't read to its end
	designColumn = 100
)

// TestDesignIsShortAndTrue: DESIGN.md has a bound, and each file, function, method, field
// and test that it names is there. So whoever moves one changes the document too.
func TestDesignIsShortAndTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "DESIGN.md"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), mostDesign)
	for i, line := range strings.Split(string(text), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), designColumn, "line %d", i+1)
	}
	names := declared(t)
	require.True(t, names["unit.commitPoint"] && names["recovery.DecideFile"] && names["Options.OnMark"], "the search finds nothing")
	var gone []string
	for _, m := range named.FindAllStringSubmatch(string(text), -1) {
		switch word := m[1]; {
		case aFile.MatchString(word):
			if _, err := os.Stat(filepath.Join(root, word)); err != nil {
				gone = append(gone, err.Error())
			}
		case aName.MatchString(word) && !names[word]:
			gone = append(gone, word)
		}
	}
	require.Empty(t, gone, "DESIGN.md names what is not there")
}

// TestWhatIsNamedIsThere: a file of ours that a comment or a document names, from the root, is
// there, and so is each test that FAULTS.md names. CHANGELOG.md says what was.
func TestWhatIsNamedIsThere(t *testing.T) {
	var gone []string
	look := func(in, text string, re *regexp.Regexp, there func(string) bool) {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			if !there(m[1]) {
				gone = append(gone, in+": "+m[1])
			}
		}
	}
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && (e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".") && path != root) {
			return skipped(e, err)
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" || e.Name() == "CHANGELOG.md" {
			return nil
		}
		text, err := os.ReadFile(path)
		look(path, string(text), ourFile, exists)
		return err
	}))
	faults, err := os.ReadFile(filepath.Join(root, "fuzz/FAULTS.md"))
	require.NoError(t, err)
	names := declared(t)
	look("FAULTS.md", string(faults), aTest, func(name string) bool { return names[name] })
	require.Empty(t, gone)
}

var (
	ourFile = regexp.MustCompile(`\b((?:wal|lockmgr|recover|txn|cmd|fuzz)/[a-z_/]+\.go)\b`)
	aTest   = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)`")

	named = regexp.MustCompile("`([^`\n]+)`")
	// Files and folders are named from the root.
	aFile = regexp.MustCompile(`^(wal|lockmgr|recover|txn|cmd|fuzz)/[a-z_/]+(\.(go|md))?$`)
	aName = regexp.MustCompile(`^([A-Za-z]+\.[A-Za-z]+|Test[A-Z][A-Za-z]+)$`)
)

// declared are the names in all packages: Test…, package.Name, Type.method, Type.Field.
func declared(t *testing.T) map[string]bool {
	names := map[string]bool{"a.json": true, "lock.queue": true} // files of users, and below .jtx
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && (e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".") && path != root) {
			return skipped(e, err)
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, bytes.NewReader(text), parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			note(names, file.Name.Name, d)
		}
		return nil
	}))
	return names
}

func skipped(e fs.DirEntry, err error) error {
	if err == nil && e.IsDir() {
		return filepath.SkipDir
	}
	return err
}

func note(names map[string]bool, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		switch {
		case d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test"):
			names[d.Name.Name] = true
		case d.Recv == nil:
			names[pkg+"."+d.Name.Name] = true
		default:
			names[typeName(d.Recv.List[0].Type)+"."+d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[pkg+"."+spec.Name.Name] = true
				noteFields(names, spec)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names[pkg+"."+n.Name] = true
				}
			}
		}
	}
}

func noteFields(names map[string]bool, spec *ast.TypeSpec) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range s.Fields.List {
		for _, n := range f.Names {
			names[spec.Name.Name+"."+n.Name] = true
		}
	}
}

// typeName is the name of a receiver's type.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
