package change_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// aProgram is a jq program that changes what is at one place.
type aProgram struct {
	text             string
	lo, hi           int // of the text that may change
	losesLo, losesHi int // of the text whose comments may go
	lines            int // that may be changed at most, -1 for any number
}

// changes of a value, by its kind; %v is another value, %n a name. What takes nothing
// away is without a star, and takes no comment either.
var changes = map[string][]string{
	"0":   {"*= %v", "*|= %v", "+= 1", "*= 2", "-= 0.5", "|= [.]"},
	`"`:   {"*= %v", "|= ascii_upcase", `+= "x"`, "|= length", `|= {at: .}`},
	"tfn": {"*= %v", "|= not", "|= [., 1]"},
	"[": {"*= %v", "|= map(.)", "|= reverse", "+= [%v]", "*|= unique", "|= sort", "|= map([.])", "*|= .[1:]", "*[0:1] = [%v]",
		`*|= map(if type == "number" then . + 1 else . end)`, "|= [%v] + .", "*|= map(select(. != 1))"},
	"{": {"*= %v", "*+= {%n: %v}", "*|= with_entries(.value |= [.])", `|= with_entries(.key |= "k_" + .)`, "*[%n] = %v",
		"*|= {%n: .}", "*|= with_entries(select(.value != 1))", "|= map_values(.)"},
}

// drawProgram draws a program that changes the place.
func drawProgram(draw func(int) int, p *place, name, value string) aProgram {
	prog := aProgram{lo: p.lo, hi: p.hi, lines: -1}
	if p.up != nil && draw(6) == 0 {
		prog.text = "del(" + p.path + ")"
		prog.lo, prog.hi, prog.losesLo, prog.losesHi = p.before, p.behind, p.before, p.behind
		if len(p.up.children) == 1 {
			prog.lo, prog.hi = p.up.lo, p.up.hi
		}
		return prog
	}
	var list []string
	for kinds, of := range changes {
		if strings.IndexByte(kinds, p.kind) >= 0 || kinds == "0" && (p.kind == '-' || p.kind >= '0' && p.kind <= '9') {
			list = of
		}
	}
	change, takes := strings.CutPrefix(list[draw(len(list))], "*")
	if takes && strings.HasPrefix(change, "= 2") { // a product, not a star
		change, takes = "*"+change, false
	}
	if takes {
		prog.losesLo, prog.losesHi = p.lo, p.hi
	}
	if isScalar(string(p.text)) && isScalar(value) && !strings.ContainsAny(change, "[{") {
		prog.lines = 1
	}
	path := p.path
	if !strings.HasPrefix(change, "[") {
		path += " "
	}
	prog.text = path + strings.NewReplacer("%v", value, "%n", fmt.Sprintf("(%s)", quoted(name))).Replace(change)
	if strings.Contains(change, "[%n]") {
		prog.text = strings.Replace(prog.text, "[("+quoted(name)+")]", "["+quoted(name)+"]", 1)
	}
	return prog
}

// byGojq is the one value that gojq itself makes of a text.
func byGojq(program string, text []byte) ([]byte, bool) {
	query, err := gojq.Parse(program)
	if err != nil {
		return nil, false
	}
	var v any
	if json.Unmarshal(text, &v) != nil {
		return nil, false
	}
	iter := query.Run(v)
	made, ok := iter.Next()
	if _, failed := made.(error); failed || !ok {
		return nil, false
	}
	if _, more := iter.Next(); more {
		return nil, false
	}
	out, err := gojq.Marshal(made)
	return out, err == nil
}

// forGojq tells whether a text's value is all in what gojq computes with: numbers of
// float64, and strings of characters.
func forGojq(text []byte) bool {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return true // at the end: the text is a document
		}
		switch tok := tok.(type) {
		case string:
			if strings.ContainsRune(tok, '\ufffd') {
				return false
			}
		case json.Number:
			f, err := strconv.ParseFloat(string(tok), 64)
			if err != nil || math.Abs(f) > 1e300 || f != 0 && math.Abs(f) < 1e-300 || len(tok) > 15 && !strings.ContainsAny(string(tok), ".eE") {
				return false
			}
		}
	}
}
