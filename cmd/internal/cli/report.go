package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/backup"
	"github.com/jtx-project/jtx/txn/jsonpatch"
)

// Failure is an error as it is shown.
type Failure struct {
	Code    string `json:"code"`
	Exit    int    `json:"exit"`
	Message string `json:"message"`
	*JSONFile
	Pointer   string `json:"pointer,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Retryable bool   `json:"retryable"`
	// Others are the errors of a command over many files but for the worst.
	Others []Failure `json:"others,omitempty"`

	snippet string
}

// Report says on standard error why a command failed.
func (a *App) Report(err error) {
	var child *ChildError
	if err == nil || errors.As(err, &child) {
		return
	}
	var sig *SignalError
	if errors.As(err, &sig) && sig.Sig == syscall.SIGPIPE {
		return // nobody reads it
	}
	f := Describe(err)
	switch {
	case a.Quiet && a.Asks && f.Exit == ExitNo: // the exit code is the answer
	case a.JSON:
		a.Message(strings.TrimSuffix(string(EncodeJSON(map[string]Failure{"error": f})), "\n"))
	case len(f.Others) == 0:
		a.reportText(f)
	default:
		a.reportAll(err)
	}
}

// maxReported is how many errors of one command are told; nobody reads more.
const maxReported = 20

// reportAll tells the errors of a command over many files, each once and in their
// order. What can be done about one stands below it, and what is the same for several
// that follow each other, below the last of them.
func (a *App) reportAll(err error) {
	list := Parts(err)
	for i, e := range list {
		if i == maxReported {
			a.Message(Paint(a.Stderr, Bold+Red, "error:") + fmt.Sprintf(" and %d more", len(list)-i))
			break
		}
		f := Describe(e)
		if i+1 < min(len(list), maxReported) && HintOf(list[i+1]) == f.Hint {
			f.Hint = ""
		}
		a.reportText(f)
	}
}

func (a *App) reportText(f Failure) {
	a.Message(Paint(a.Stderr, Bold+Red, "error:") + " " + f.Message)
	if strings.TrimSpace(f.snippet) != "^" { // else the line is empty, or there is none
		for line := range strings.Lines(f.snippet) {
			a.Message("  " + Printable(strings.TrimSuffix(line, "\n")))
		}
	}
	if f.Hint != "" {
		a.Message(Paint(a.Stderr, Bold, "hint:") + " " + f.Hint)
	}
}

// Describe finds what there is to say about an error.
func Describe(err error) Failure {
	var all *severalErrors
	if errors.As(err, &all) {
		f := Describe(all.worst)
		for _, e := range all.errs {
			//lint:ignore errorlint it is one of the very same
			if e != all.worst {
				f.Others = append(f.Others, Describe(e))
			}
		}
		return f
	}
	code := ExitOf(err)
	f := Failure{
		Code: exitName(meaningOf(err)), Exit: code, Message: Printable(MessageOf(err)),
		Hint: HintOf(err), Retryable: retryable(err),
	}
	var sig *SignalError
	if code > 128 && errors.As(err, &sig) {
		f.Message = sig.Error() // whatever it was that waited
	}
	if name := fileOf(err); name != "" {
		f.JSONFile = NewJSONFile(Shown(name))
	}
	var te *txn.Error
	if errors.As(err, &te) {
		f.Pointer = te.Pointer
	}
	var syn *jsonpatch.SyntaxError
	if errors.As(err, &syn) {
		f.Line, f.Column, f.snippet = syn.Line, syn.Column, syn.Snippet
	}
	return f
}

func fileOf(err error) string {
	var te *txn.Error
	if errors.As(err, &te) && te.File != "" {
		return te.File
	}
	var timeout *lockmgr.TimeoutError
	if errors.As(err, &timeout) {
		return timeout.Name
	}
	return ""
}

// MessageOf is the text of an error with the names of files as the user would
// give them, and each said once.
func MessageOf(err error) string {
	//lint:ignore errorlint each layer says its own part, and asks the next one
	switch e := err.(type) {
	case *About:
		return e.What + ": " + MessageOf(e.Err)
	case *Hinted:
		return MessageOf(e.Err)
	case *KeptText:
		return MessageOf(e.Err)
	case *txn.Error:
		return messageOfTxn(e)
	case *jsonpatch.OpError:
		if e.Op == "get" && errors.Is(e, jsonpatch.ErrNotFound) {
			return "nothing at " + PlaceName(e.Pointer)
		}
	case *fs.PathError:
		return QuoteWord(Shown(e.Path)) + ": " + e.Op + ": " + e.Err.Error()
	case *backup.FileError:
		return fmt.Sprintf("%s: %s: %s", QuoteWord(Shown(e.Archive)), QuoteWord(string(e.Path)), MessageOf(e.Err))
	case *backup.BaseError:
		b := *e
		b.Archive, b.Base = QuoteWord(Shown(e.Archive)), QuoteWord(Shown(e.Base))
		return b.Error()
	case *lockmgr.TimeoutError:
		t := *e
		t.Name = QuoteWord(Shown(e.Name))
		return t.Error()
	case interface{ Unwrap() []error }:
		if errs := e.Unwrap(); isJoined(err, errs) {
			return messageOfAll(errs)
		}
	}
	return err.Error()
}

func messageOfTxn(e *txn.Error) string {
	text := "failed"
	if e.Err != nil {
		text = MessageOf(e.Err)
	} else if e.Kind != nil {
		text = e.Kind.Error()
	}
	if e.File == "" {
		return text
	}
	name := QuoteWord(Shown(e.File))
	// What the operating system says names the file already.
	if strings.HasPrefix(text, name+": ") || strings.HasPrefix(text, name+" ") {
		return text
	}
	abs, err := filepath.Abs(e.File)
	if err != nil {
		abs = e.File
	}
	for _, long := range []string{e.File, abs, filepath.Base(e.File)} {
		if rest, ok := strings.CutPrefix(text, long+" "); ok {
			return name + " " + rest
		}
		if rest, ok := strings.CutPrefix(text, long+": "); ok {
			return name + ": " + rest
		}
	}
	return name + ": " + text
}

// isJoined tells an error that only holds others from one with words of its own.
func isJoined(err error, errs []error) bool {
	var parts []string
	for _, e := range errs {
		parts = append(parts, e.Error())
	}
	return err.Error() == strings.Join(parts, "\n")
}

func messageOfAll(errs []error) string {
	var parts []string
	for _, e := range errs {
		if m := MessageOf(e); !slices.Contains(parts, m) {
			parts = append(parts, m)
		}
	}
	return strings.Join(parts, "; ")
}

// PlaceName is a pointer for people.
func PlaceName(ptr string) string {
	if ptr == "" {
		return "the whole document"
	}
	return QuoteWord(ptr)
}
