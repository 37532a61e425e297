// Package rewrite finds the places where a shell script writes JSON files
// unsafely, and replaces them by calls of jtx.
//
// It is pure: text goes in, text and a list of findings come out. What it replaces
// behaves as before where it succeeds: the same values in the files, the same
// output, the same success or failure for &&, ||, if and set -e. Where a command
// fails half-way the file is left as it was, instead of empty or torn. Whatever
// it isn't sure of is left alone, and listed with the reason.
package rewrite

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Verdict says what became of an unsafe write.
type Verdict int

const (
	// Done: the write is whole, durable, and loses no update.
	Done Verdict = iota
	// Partly: the write itself is safe now, but something around it is not. The
	// reason says what.
	Partly
	// Left: nothing was changed. The reason says why.
	Left
)

func (v Verdict) String() string { return [...]string{"rewritten", "partly", "left alone"}[v] }

// Finding is one unsafe write.
type Finding struct {
	Line        int // where it begins, from 1
	Idiom       string
	Original    string
	Replacement string // empty where it was left alone
	Reason      string
	Verdict     Verdict
}

// Result is a script after its unsafe writes were replaced.
type Result struct {
	Text     string
	Findings []Finding // by line
}

// ErrSyntax is returned for text that is not a shell script.
var ErrSyntax = errors.New("not a shell script")

// Script rewrites a script. The text keeps its bytes wherever nothing is replaced.
func Script(text string) (Result, error) {
	file, lang, err := parse(text)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	s := newScript(text, file)
	s.find()
	s.resolve()
	out := applyEdits(text, s.edits)
	if _, err := parseAs(out, lang); err != nil {
		return Result{}, fmt.Errorf("the rewritten script does not parse, so nothing is rewritten: %w", err)
	}
	slices.SortStableFunc(s.findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return Result{Text: out, Findings: s.findings}, nil
}

// parse reads a script in the language that its first line names. Without one, or
// where that is more than the language has, it is tried as the others.
func parse(text string) (*syntax.File, syntax.LangVariant, error) {
	langs := []syntax.LangVariant{syntax.LangBash, syntax.LangPOSIX, syntax.LangZsh}
	first, _, _ := strings.Cut(text, "\n")
	if strings.HasPrefix(first, "#!") && strings.Contains(first, "zsh") {
		langs = []syntax.LangVariant{syntax.LangZsh, syntax.LangBash}
	}
	var failed error
	for _, lang := range langs {
		file, err := parseAs(text, lang)
		if err == nil {
			return file, lang, nil
		}
		failed = cmp.Or(failed, err)
	}
	return nil, 0, failed
}

func parseAs(text string, lang syntax.LangVariant) (*syntax.File, error) {
	p := syntax.NewParser(syntax.Variant(lang), syntax.KeepComments(true))
	return p.Parse(strings.NewReader(text), "")
}

// script is a script under examination.
type script struct {
	text  string
	file  *syntax.File
	names names
	// lists are the statement lists, outermost first, and in which each statement is.
	lists      [][]*syntax.Stmt
	listOf     map[*syntax.Stmt][]*syntax.Stmt
	parents    map[syntax.Node]syntax.Node
	claimed    map[syntax.Node]bool // statements that a candidate or finding covers
	condition  map[*syntax.Stmt]bool
	guarded    map[*syntax.Stmt]string // run only where the file of this key is not there
	moved      map[string]bool         // keys of files that some command moves elsewhere
	candidates []*candidate
	edits      []edit
	dropped    map[*syntax.Stmt]bool
	findings   []Finding
	allFlows   []flow          // see flows
	asJSON     map[string]bool // see readAsJSON
}

func newScript(text string, file *syntax.File) *script {
	s := &script{
		text: text, file: file, names: collectNames(file),
		listOf: map[*syntax.Stmt][]*syntax.Stmt{}, parents: map[syntax.Node]syntax.Node{}, claimed: map[syntax.Node]bool{},
		condition: map[*syntax.Stmt]bool{}, guarded: map[*syntax.Stmt]string{}, moved: map[string]bool{}, dropped: map[*syntax.Stmt]bool{},
	}
	s.collectLists()
	s.collectGuards()
	return s
}

// find looks for the idioms, the most telling first, so that a part of one is not
// taken for another.
func (s *script) find() {
	for _, list := range s.lists {
		for i := range list {
			s.findMoves(list, i)
		}
	}
	for _, list := range s.lists {
		for i := range list {
			s.findVariable(list, i)
		}
	}
	s.eachStep(s.findInPlace)
	s.eachStep(s.findLoneMove)
	s.eachStep(s.findDirect)
	s.eachStep(s.findNested)
	s.eachStep(s.findForeign)
	s.eachStep(s.findListed)
}

// eachStep calls fn with every command and pipeline that no idiom covers yet.
func (s *script) eachStep(fn func(*syntax.Stmt)) {
	for _, list := range s.lists {
		for _, stmt := range list {
			for _, st := range flatten(stmt) {
				if !s.claimed[st.stmt] {
					fn(st.stmt)
				}
			}
		}
	}
}

func (s *script) src(n syntax.Node) string {
	if stmt, ok := n.(*syntax.Stmt); ok {
		at := whole(stmt)
		return s.text[at.from:at.to]
	}
	return s.text[n.Pos().Offset():n.End().Offset()]
}

func (s *script) found(n syntax.Node, f Finding) {
	f.Line = int(n.Pos().Line())
	if f.Original == "" {
		f.Original = s.src(n)
	}
	s.findings = append(s.findings, f)
}

// leave lists an unsafe write that stays.
func (s *script) leave(n syntax.Node, idiom, reason string) {
	s.claimed[n] = true
	s.found(n, Finding{Idiom: idiom, Reason: reason, Verdict: Left})
}
