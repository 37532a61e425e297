package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// lockedWriter lets whole messages be written by several.
type lockedWriter struct {
	io.WriteCloser
	mu sync.Mutex
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.WriteCloser.Write(p)
}

// lineLimit passes messages on, but for those that are too long: they are answered with
// an error. The protocol's own limit would end the connection.
type lineLimit struct {
	io.Closer
	lines *bufio.Reader
	out   io.Writer
	line  []byte // what is left of the line that is passed on
}

func newLineLimit(in io.ReadCloser, out io.Writer) *lineLimit {
	return &lineLimit{Closer: in, lines: bufio.NewReaderSize(in, 64<<10), out: out}
}

func (l *lineLimit) Read(p []byte) (int, error) {
	for len(l.line) == 0 {
		if err := l.next(); err != nil && len(l.line) == 0 {
			return 0, err
		}
	}
	n := copy(p, l.line)
	l.line = l.line[n:]
	return n, nil
}

// next reads a line whole, or refuses it.
func (l *lineLimit) next() error {
	var line, tail []byte
	size := 0
	for {
		part, err := l.lines.ReadSlice('\n')
		if size += len(part); size <= maxMessage {
			line = append(line, part...)
		} else {
			tail = append(tail[:0], part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case size <= maxMessage:
			l.line = line
			return err
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		return errors.Join(l.refuse(idOf(line, tail), size), err)
	}
}

func (l *lineLimit) refuse(id json.RawMessage, size int) error {
	message := fmt.Sprintf("a message of %d bytes: at most %d are taken; nothing was changed", size, maxMessage)
	_, err := l.out.Write(cli.EncodeJSON(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": -32600, "message": message}}))
	return err
}

var idAtEnd = regexp.MustCompile(`"id"\s*:\s*("[^"\\]*"|-?[0-9]+)\s*\}\s*$`)

// idOf finds the id of a message of which only the beginning and the end are known.
func idOf(head, tail []byte) json.RawMessage {
	dec := jsontext.NewDecoder(bytes.NewReader(head))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			break
		}
		isID := name.String() == "id"
		value, err := dec.ReadValue()
		if err != nil {
			break
		}
		if isID {
			return bytes.Clone(value)
		}
	}
	if m := idAtEnd.FindSubmatch(tail); m != nil {
		return bytes.Clone(m[1])
	}
	return nil
}
