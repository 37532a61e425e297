package rewrite

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// many tells whether a program may print none or several documents, as far as
// that shows.
func many(q *gojq.Query) bool {
	switch {
	case q == nil:
		return false
	case q.Term != nil && q.Left == nil:
		return manyTerm(q.Term)
	case q.Op == gojq.OpComma:
		return true
	case q.Op == gojq.OpModify:
		return false
	case q.Op == gojq.OpAssign, q.Op == gojq.OpUpdateAdd, q.Op == gojq.OpUpdateSub, q.Op == gojq.OpUpdateMul,
		q.Op == gojq.OpUpdateDiv, q.Op == gojq.OpUpdateMod, q.Op == gojq.OpUpdateAlt:
		return many(q.Right) // the places on the left are all changed in one document
	default:
		return many(q.Left) || many(q.Right)
	}
}

var manyFuncs = setOf("select empty recurse inputs limit range splits paths tostream leaf_paths values nulls " +
	"booleans numbers strings arrays objects iterables scalars match scan combinations while until repeat")

func manyTerm(t *gojq.Term) bool {
	for _, suffix := range t.SuffixList {
		if suffix.Iter {
			return true
		}
	}
	switch t.Type {
	case gojq.TermTypeFunc:
		return manyFuncs()[t.Func.Name]
	case gojq.TermTypeRecurse:
		return true
	case gojq.TermTypeQuery:
		return many(t.Query)
	case gojq.TermTypeIf:
		found := many(t.If.Then) || many(t.If.Else)
		for _, e := range t.If.Elif {
			found = found || many(e.Then)
		}
		return found
	case gojq.TermTypeTry:
		return many(t.Try.Body) || many(t.Try.Catch)
	}
	return false
}

// portableFuncs give the same in jtx update and in jq 1.6 as in later ones, whatever
// the order of an object's members. What is not among them differs for some value:
// tonumber takes " 5" in jq 1.6, index counts bytes, from_entries wants strings.
var portableFuncs = setOf("not length utf8bytelength keys has in inside contains map_values del select empty any all " +
	"range floor ceil round sqrt type sort sort_by group_by min max min_by max_by unique unique_by " +
	"startswith endswith ltrimstr rtrimstr split ascii_downcase ascii_upcase tostring " +
	"delpaths setpath getpath true false null arrays objects numbers strings booleans nulls values scalars " +
	placeholder)

// portable tells whether a program gives the same in jtx update as in any jq: what it
// makes of an object's members may depend on their order, and jq 1.6 differs in what
// sameOperator, sameTerm and exactNumber say.
func portable(q *gojq.Query) bool {
	ok := true
	visit(reflect.ValueOf(q), func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			ok = ok && (node.Name[0] == '$' && node.Name != "$__loc__" && node.Name != "$__prog_args" || portableFuncs()[node.Name]) &&
				(node.Name != "map_values" || !slices.ContainsFunc(node.Args, many))
		case *gojq.Reduce, *gojq.Foreach, *gojq.Label:
			ok = false
		case *gojq.String:
			ok = ok && node.Queries == nil
		case *gojq.Query:
			ok = ok && sameOperator(node)
		case *gojq.Term:
			ok = ok && sameTerm(node)
		case *gojq.If:
			ok = ok && node.Else != nil // jq 1.6 wants it
		case *gojq.ObjectKeyVal:
			ok = ok && (node.Val == nil || node.Val.Left == nil || node.Val.Op == gojq.OpPipe) // {a: 1 + 1} is an error in jq 1.6
		case *gojq.Array:
			ok = ok && !iterates(node)
		}
	})
	return ok
}

// sameOperator tells whether an operator does the same in every jq. A string times
// 0 or a fraction, and the remainder of what is beyond 64 bits, differ; of an array,
// jq 1.6 keeps some of the values that |= empty takes away.
func sameOperator(q *gojq.Query) bool {
	switch q.Op {
	case gojq.OpMul:
		return q.Left.Term != nil && q.Left.Term.Type == gojq.TermTypeIdentity && q.Left.Term.SuffixList == nil || isObject(q.Left) || isObject(q.Right)
	case gojq.OpUpdateMul:
		return isObject(q.Right)
	case gojq.OpMod, gojq.OpUpdateMod:
		return false
	case gojq.OpModify:
		return !many(q.Right)
	}
	return true
}

func isObject(q *gojq.Query) bool { return q.Term != nil && q.Term.Type == gojq.TermTypeObject }

// sameTerm tells whether a term means the same in every jq: messages of errors differ,
// and so do numbers with more digits than jq 1.6 keeps.
func sameTerm(t *gojq.Term) bool {
	switch t.Type {
	case gojq.TermTypeFormat, gojq.TermTypeRecurse:
		return false
	case gojq.TermTypeTry:
		return t.Try.Catch == nil
	case gojq.TermTypeNumber:
		return exactNumber(t.Number)
	}
	return true
}

// exactNumber tells whether a number keeps its value as a float64 that is printed with
// 17 digits.
func exactNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	return err == nil && len(strings.Trim(strings.ReplaceAll(mantissa, ".", ""), "0")) <= 15
}

// iterates tells whether an array is made of the values of something, which may
// be an object.
func iterates(a *gojq.Array) bool {
	found := false
	visit(reflect.ValueOf(a), func(node any) {
		if s, ok := node.(*gojq.Suffix); ok {
			found = found || s.Iter
		}
	})
	return found
}

// visit calls fn with every node of a syntax tree: the pointers to structs in it.
func visit(v reflect.Value, fn func(any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fn(v.Interface())
			visit(v.Elem(), fn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			visit(v.Field(i), fn)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), fn)
		}
	}
}
