package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/jtx-project/jtx/cmd/internal/cli"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// maxIndent is the widest indent that anybody reads, in spaces.
const maxIndent = 16

// indented writes a document, which is JSON, in a layout: a number of spaces, "tab" or
// "compact". Comments are lost.
func indented(doc []byte, layout string) ([]byte, error) {
	text := jsonpatch.Compact(doc)
	step := "\t"
	switch layout {
	case "compact":
		return append(text, '\n'), nil
	case "tab":
	default:
		n, err := strconv.Atoi(layout)
		if err != nil || n < 1 || n > maxIndent {
			return nil, cli.Usagef("--indent %s: want a number of spaces up to %d, tab or compact", cli.QuoteWord(layout), maxIndent)
		}
		step = strings.Repeat(" ", n)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", step); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
