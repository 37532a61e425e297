// Package change reads what is to be changed: places in documents, and steps of a
// transaction, as jtx do, jtx session and jtx mcp take them.
package change

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Step is one line.
type Step struct {
	where string // "line 3"
	file  string
	do    func(tx *txn.Tx, file string) error
}

// File is the file that the step is about, as it was named.
func (s Step) File() string { return s.file }

// On is the step on another file.
func (s Step) On(file string) Step {
	s.file = file
	return s
}

// Do does steps, one after the other.
func Do(tx *txn.Tx, steps []Step) error {
	for _, s := range steps {
		if err := s.do(tx, s.file); err != nil {
			return &cli.About{What: s.where, Err: err}
		}
	}
	return nil
}

func Files(steps []Step) []string {
	var files []string
	for _, s := range steps {
		if !slices.Contains(files, s.file) {
			files = append(files, s.file)
		}
	}
	return files
}

// Parse reads NDJSON, or one array of what else are lines.
func Parse(data []byte) ([]Step, error) {
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		return parseArray(data)
	}
	var steps []Step
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s, err := ParseStep(fmt.Sprintf("line %d", n), line)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func parseArray(data []byte) ([]Step, error) {
	if _, err := jsonpatch.ParseStrict(data, jsonpatch.Limits{}); err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, &cli.Error{Exit: cli.ExitInvalid, Err: err}
	}
	var steps []Step
	for i, item := range items {
		s, err := ParseStep(fmt.Sprintf("item %d", i+1), item)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// ParseStep reads one line, and checks all of it that can be without the file.
func ParseStep(where string, text []byte) (Step, error) {
	text = bytes.TrimSpace(text)
	if _, err := jsonpatch.ParseStrict(text, jsonpatch.Limits{}); err != nil {
		return Step{}, cli.InvalidIn(where, err)
	}
	members := map[string]json.RawMessage{}
	if text[0] != '{' || json.Unmarshal(text, &members) != nil {
		return Step{}, cli.Invalidf("%s: want an object with \"file\" and one of \"set\", \"delete\", \"merge\", \"patch\", \"put\", \"text\", \"value\"", where)
	}
	s := Step{where: where}
	var err error
	if s.file, err = stepFile(members); err != nil {
		return s, cli.InvalidIn(where, err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if s.do != nil {
			return s, cli.Invalidf("%s: want one of \"set\", \"delete\", \"merge\", \"patch\", \"put\", \"text\", \"value\", and nothing else; found %q too", where, name)
		}
		if s.do, err = stepChange(name, members[name]); err != nil {
			return s, cli.InvalidIn(where, err)
		}
	}
	if s.do == nil {
		return s, cli.Invalidf("%s: want one of \"set\", \"delete\", \"merge\", \"patch\", \"put\", \"text\", \"value\"", where)
	}
	return s, nil
}

// stepFile takes the file's name out of the members.
func stepFile(members map[string]json.RawMessage) (name string, err error) {
	plain, hasPlain := members["file"]
	encoded, hasBytes := members["file_bytes"]
	delete(members, "file")
	delete(members, "file_bytes")
	switch {
	case hasBytes: // "file" beside it is for people, as in jtx's own output
		var raw []byte
		err = json.Unmarshal(encoded, &raw)
		if err != nil {
			err = fmt.Errorf(`"file_bytes": want base64, such as %q for a.json`, base64.StdEncoding.EncodeToString([]byte("a.json")))
		}
		name = string(raw)
	case hasPlain:
		if json.Unmarshal(plain, &name) != nil || plain[0] != '"' {
			err = fmt.Errorf(`"file": want a string`)
		}
	default:
		err = fmt.Errorf(`"file" is missing`)
	}
	if err != nil {
		return "", err
	}
	return name, cli.CheckFile(name)
}

// stepChange reads a change by its name.
func stepChange(name string, arg json.RawMessage) (func(*txn.Tx, string) error, error) {
	switch name {
	case "patch":
		_, err := jsonpatch.DecodePatch(arg, jsonpatch.Limits{})
		return func(tx *txn.Tx, file string) error { return tx.Patch(file, arg) }, err
	case "merge":
		return func(tx *txn.Tx, file string) error { return tx.Merge(file, arg) }, nil
	case "put":
		// The value ends with its last byte; a file ends with a line.
		return func(tx *txn.Tx, file string) error { return tx.Put(file, append(bytes.Clone(arg), '\n')) }, nil
	case "text":
		var text string
		if err := json.Unmarshal(arg, &text); err != nil || arg[0] != '"' {
			return nil, fmt.Errorf(`"text": want a string, the document's own text`)
		}
		return func(tx *txn.Tx, file string) error { return tx.Put(file, []byte(text)) }, nil
	case "value":
		return func(tx *txn.Tx, file string) error { return tx.Encode(file, arg) }, nil
	case "set":
		return stepSet(arg)
	case "delete":
		return stepDelete(arg)
	}
	return nil, fmt.Errorf("unknown member %q", name)
}

// stepDelete reads the places that are to be gone.
func stepDelete(arg json.RawMessage) (func(*txn.Tx, string) error, error) {
	var words []string
	if err := json.Unmarshal(arg, &words); err != nil {
		return nil, fmt.Errorf(`"delete": want an array of pointers`)
	}
	ptrs, err := parsePlaces(words)
	if err != nil {
		return nil, err
	}
	return func(tx *txn.Tx, file string) error { return Delete(tx, file, ptrs) }, nil
}

// stepSet reads the pairs of "set" in the order in which they are written.
func stepSet(arg json.RawMessage) (func(*txn.Tx, string) error, error) {
	var sets []Assignment
	if arg = bytes.TrimSpace(arg); !bytes.HasPrefix(arg, []byte("{")) {
		return nil, fmt.Errorf(`"set": want an object of values by pointer`)
	}
	var wrong error
	jsonpatch.Children(arg, 0, func(name []byte, lo, hi int) {
		ptr, arrays, err := Target(jsonpatch.Unquote(name))
		if err != nil && wrong == nil {
			wrong = err
		}
		sets = append(sets, Assignment{ptr, arrays, bytes.Clone(arg[lo:hi])})
	})
	if wrong != nil {
		return nil, wrong
	}
	return func(tx *txn.Tx, file string) error {
		for _, set := range sets {
			ptr, err := Resolve(tx, file, set.Ptr)
			if err == nil {
				err = tx.SetPath(file, ptr, set.Value, set.Arrays...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}
