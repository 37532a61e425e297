package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// sourceKind is where a document or patch comes from.
type sourceKind int

const (
	fromStdin sourceKind = iota
	fromFile
	inline
)

// classify tells what a SRC word means.
func classify(word string) sourceKind {
	switch {
	case word == "-":
		return fromStdin
	case word != "" && (word[0] == '[' || word[0] == '{'):
		return inline
	}
	return fromFile
}

// source is a document or patch, and what errors call it.
type source struct {
	Name string
	Data []byte
}

// SourceFlags are of the verbs that take a SRC.
type SourceFlags struct {
	value string
	set   *pflag.FlagSet
}

func (f *SourceFlags) Register(fs *pflag.FlagSet) {
	fs.StringVar(&f.value, "value", "", "this `JSON` instead of SRC, for a scalar")
	f.set = fs
}

// Read reads the SRC in words, which has at most one: with none, it is --value or
// standard input.
func (f *SourceFlags) Read(a *App, words []string) (source, error) {
	if f.set.Changed("value") {
		if len(words) > 0 {
			return source{}, Usagef("--value and SRC say the same thing: give one of them")
		}
		return source{"--value", []byte(f.value)}, nil
	}
	return a.Source(words)
}

func (a *App) Source(words []string) (source, error) {
	if len(words) == 0 {
		if IsTerminal(a.Stdin) {
			return source{}, Usagef("missing SRC").WithHint("give inline JSON, a path, or - for standard input")
		}
		return a.ReadStdin()
	}
	switch classify(words[0]) {
	case inline:
		return source{"the inline JSON", []byte(words[0])}, nil
	case fromStdin:
		return a.ReadStdin()
	default:
		return a.readFile(words[0])
	}
}

func (a *App) ReadStdin() (source, error) {
	data, err := Await(a, func() ([]byte, error) { return readLimited(a.Stdin) })
	return source{"standard input", data}, err
}

// ReadFile reads a file that the user has named, and that need not be tracked.
func (a *App) ReadFile(name string) ([]byte, error) {
	return Await(a, func() ([]byte, error) {
		if name == "/dev/stdin" {
			return readLimited(a.Stdin) // a socket, as ksh's pipes are, can't be opened anew
		}
		f, err := os.Open(name) // a pipe, as of <(...), waits here for its writer
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readLimited(f)
	})
}

func (a *App) readFile(name string) (source, error) {
	data, err := a.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		e := &Error{Exit: ExitNo, Msg: QuoteWord(name) + ": no such file"}
		if _, bad := jsonpatch.ParseStrict([]byte(name), jsonpatch.Limits{}); bad == nil {
			e.Hint = "a scalar is given with --value"
		} else if e.Hint = HintOfFile(name); e.Hint == "" {
			e.Hint = "SRC is JSON where it begins with { or [, else the path of a file; --value takes a scalar"
		}
		return source{}, e
	}
	return source{QuoteWord(name), data}, err
}

// readLimited reads everything, but not more than a document may have.
func readLimited(r io.Reader) ([]byte, error) {
	limit := jsonpatch.DefaultLimits().MaxBytes
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if n > limit {
		return nil, Invalidf("more than %d bytes of input", limit)
	}
	return b.Bytes(), err
}

// Await calls fn, which may wait for ever, until a signal ends that: the opening or
// reading of a terminal or pipe can't be called off.
func Await[T any](a *App, fn func() (T, error)) (T, error) {
	a.Signals.Wait()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := fn()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-a.Ctx.Done():
		var none T
		return none, context.Cause(a.Ctx)
	}
}

// hintOfValue says how JSON writes what the user has written in another way.
func hintOfValue(word string) string {
	meant := map[string]string{"true": "true", "false": "false", "none": "null", "null": "null", "nil": "null", "undefined": "null", "yes": "true", "no": "false"}
	switch lower := strings.ToLower(word); {
	case meant[lower] != "":
		return fmt.Sprintf("JSON has %s for it; --string takes the word as a string", meant[lower])
	case slices.Contains([]string{"nan", "inf", "infinity", "-inf", "-infinity"}, lower):
		return "JSON has no NaN and no infinity: null stands for it, or a string, with --string"
	case len(word) > 1 && word[0] == '\'' && word[len(word)-1] == '\'':
		return "JSON has double quotes, inside of the shell's single ones: '\"" + word[1:len(word)-1] + "\"'; or --string, without quotes"
	}
	return "--string takes the word as a string"
}

// Value reads a word that is JSON or, with asString, a string.
func Value(what, word string, asString bool) ([]byte, error) {
	if asString {
		return QuoteJSON(word)
	}
	text := bytes.Trim([]byte(word), " \t\r\n")
	if _, err := jsonpatch.ParseStrict(text, jsonpatch.Limits{}); err != nil {
		e := InvalidIn(what+" is not JSON", err)
		return nil, e.WithHint("%s", hintOfValue(string(text)))
	}
	return text, nil
}
