package change

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// fromEnd begins a pointer's token that counts from the end of its array, which only
// the document tells: .a[-1] is its last element. No argument of a process can hold a
// NUL of its own.
const fromEnd = "\x00"

// Resolve gives the elements of a place that are counted from the end their indices in
// a file, as a transaction sees it.
func Resolve(tx *txn.Tx, file, place string) (string, error) {
	return resolve(place, func(ptr string) (json.RawMessage, error) { return tx.Get(file, ptr) })
}

// ResolveIn is Resolve in a document.
func ResolveIn(doc *jsonpatch.Document, place string) (string, error) {
	return resolve(place, func(ptr string) (json.RawMessage, error) {
		p, err := jsonpatch.ParsePointer(ptr)
		if err != nil {
			return nil, err
		}
		raw, err := doc.Get(p)
		return jsonpatch.Compact(raw), err
	})
}

func resolve(place string, get func(ptr string) (json.RawMessage, error)) (string, error) {
	if !strings.Contains(place, fromEnd) {
		return place, nil
	}
	tokens, err := jsonpatch.ParsePointer(place)
	if err != nil {
		return "", err
	}
	for i, token := range tokens {
		back, ok := strings.CutPrefix(token, fromEnd)
		if !ok {
			continue
		}
		raw, err := get(tokens[:i].String())
		if err != nil {
			return "", err
		}
		n, err := strconv.Atoi(back)
		var elements []json.RawMessage
		if err != nil || json.Unmarshal(jsonpatch.Compact(raw), &elements) != nil || n > len(elements) {
			tokens[i] = "-" + back // where there is nothing
			//lint:ignore nilerr where there is nothing, or no array, the operation says so
			return tokens.String(), nil
		}
		tokens[i] = strconv.Itoa(len(elements) - n)
	}
	return tokens.String(), nil
}
