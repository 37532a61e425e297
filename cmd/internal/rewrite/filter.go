package rewrite

import (
	"reflect"

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

// portableFuncs give the same in gojq and jq, whatever the order of an object's
// members, and whichever library matches regular expressions.
var portableFuncs = setOf("not length utf8bytelength keys has in inside contains map_values del select empty error any all " +
	"range floor ceil round sqrt tonumber type sort sort_by group_by min max min_by max_by unique unique_by " +
	"reverse index rindex startswith endswith ltrimstr rtrimstr split ascii_downcase ascii_upcase with_entries " +
	"from_entries delpaths setpath getpath true false null arrays objects numbers strings booleans nulls values scalars " +
	placeholder)

// portable tells whether a program gives the same in gojq as in jq. gojq sorts the
// members of objects, so that what is made of their order differs.
func portable(q *gojq.Query) bool {
	ok := true
	visit(reflect.ValueOf(q), func(node any) {
		switch node := node.(type) {
		case *gojq.Func:
			ok = ok && (node.Name[0] == '$' && node.Name != "$__loc__" && node.Name != "$__prog_args" || portableFuncs()[node.Name])
		case *gojq.Reduce, *gojq.Foreach, *gojq.Label:
			ok = false
		case *gojq.String:
			ok = ok && node.Queries == nil
		case *gojq.Term:
			ok = ok && node.Type != gojq.TermTypeFormat && node.Type != gojq.TermTypeRecurse
		case *gojq.Array:
			ok = ok && !iterates(node)
		}
	})
	return ok
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
