package cli

import (
	"slices"
	"sync"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
)

// told is what a run has said on standard error of the state of files, whichever part
// of a verb came upon it.
type told struct {
	mu   sync.Mutex
	said map[string]bool

	skipped []error // what was passed over
}

func (t *told) isNew(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := t.said[text]
	t.said[text] = true
	return !again
}

// Tell says once what a person, or a program with --json, must know of a file: -q does
// not mute it.
func (a *App) Tell(text string) {
	switch {
	case !a.told.isNew(text):
	case a.JSON:
		a.Warn(text)
	default:
		a.Message("note: " + text)
	}
}

// mark says what a look has shown that is not recorded, or not in the file yet.
func (a *App) mark(m txn.Mark) {
	if !a.Quiet {
		m.From = Shown(m.From)
		a.Tell(QuoteWord(Shown(m.File)) + ": " + Printable(m.String()))
	}
}

// skip notes what is passed over, once: it is told when the others are done.
func (a *App) skip(err error) { a.skips(err) }

// SkipNow is skip for what may never end, and says at once what is passed over.
func (a *App) SkipNow(err error) {
	if a.skips(err) {
		a.Warn("passed over: " + MessageOf(err))
	}
}

// skips tells whether that was not known.
func (a *App) skips(err error) bool {
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	text := err.Error()
	if slices.ContainsFunc(a.told.skipped, func(other error) bool { return other.Error() == text }) {
		return false
	}
	a.told.skipped = append(a.told.skipped, err)
	return true
}

// withSkipped joins what was passed over to the error of a command, but for one that
// a signal has ended, or that is of the words.
func (a *App) withSkipped(err error) error {
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	if err != nil && (ExitOf(err) > 128 || ExitOf(err) == ExitUsage) {
		return err
	}
	return Several(append([]error{err}, a.told.skipped...)...)
}

// recovered says what recovery did. That an edit was recorded takes nothing from
// anybody, so -q mutes that, and nothing else. An error is told as one.
func (a *App) recovered(report []recovery.Done) {
	for _, d := range report {
		muted := a.Quiet && d.Action == recovery.Adopt && d.Aside == ""
		if text := doneText(d); text != "" && d.Err == nil && !muted {
			a.Tell(text)
		}
	}
}
