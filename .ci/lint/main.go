// Command lint finds what vet and staticcheck don't look for, in one pass over the
// packages: lint [package ...], in the directory of the module.
//
//   - errorlint: errors are wrapped here, with the file's name above all. So one that is
//     compared with ==, or asserted to be of a type, is not found where it is wrapped. What
//     is formatted with %v is meant to be: it is shown, and no caller may match it.
//   - nilerr: an error that was looked at, and nil returned, is one swallowed.
//   - exhaustive: a switch over what recovery decides names all cases, or has a default.
//     Other types are not looked at: most switches pick a few cases of many.
//
// What is right all the same has //lint:ignore NAME REASON on the line above it, as for
// staticcheck.
package main

import (
	"go/ast"
	"go/token"
	"regexp"

	"github.com/gostaticanalysis/nilerr"
	"github.com/nishanths/exhaustive/passes/exhaustive"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
)

func main() {
	for name, value := range map[string]string{"d": "true", "typeonly": `^github\.com/jtx-project/jtx/recover\.`, "constignore": `\.num[A-Z]`} {
		if err := exhaustive.Analyzer.Flags.Set(name, value); err != nil {
			panic(err)
		}
	}
	multichecker.Main(excused(errorlint.NewAnalyzer()), excused(nilerr.Analyzer), excused(exhaustive.Analyzer))
}

// excused reports nothing of lines that are ignored with a reason.
func excused(a *analysis.Analyzer) *analysis.Analyzer {
	run := a.Run
	a.Run = func(p *analysis.Pass) (any, error) {
		ignored := ignoredLines(p, a.Name)
		report := p.Report
		p.Report = func(d analysis.Diagnostic) {
			if at := p.Fset.Position(d.Pos); !ignored[line{at.Filename, at.Line}] {
				report(d)
			}
		}
		return run(p)
	}
	return a
}

type line struct {
	file string
	n    int
}

// ignoredLines are those of the comments, and those below them.
func ignoredLines(p *analysis.Pass, name string) map[line]bool {
	directive := regexp.MustCompile(`^//lint:ignore ` + name + ` \S+`)
	ignored := map[line]bool{}
	for _, f := range p.Files {
		eachComment(f, func(c *ast.Comment) {
			if directive.MatchString(c.Text) {
				at := p.Fset.Position(token.Pos(c.Pos()))
				ignored[line{at.Filename, at.Line}] = true
				ignored[line{at.Filename, at.Line + 1}] = true
			}
		})
	}
	return ignored
}

func eachComment(f *ast.File, do func(*ast.Comment)) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			do(c)
		}
	}
}
