package main

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/jtx-project/jtx/cmd/internal/cli"
)

// watchFlag is of the verbs that show what there is, and may go on doing so.
type watchFlag struct{ on bool }

func (w *watchFlag) register(fs *pflag.FlagSet) {
	fs.BoolVar(&w.on, "watch", false, "go on, and show it again when it has changed, until SIGINT")
}

// lookEvery is how often it is looked: holders of locks come and go without a sign.
const lookEvery = time.Second

// show shows once, or again and again: on a terminal in the place of what was there
// before, elsewhere one behind the other.
func (w *watchFlag) show(a *app, show func() error) error {
	if !w.on {
		return show()
	}
	a.Signals.Wait()
	a.EndUnread()
	var last []byte
	for first := true; ; first = false {
		text, err := a.Captured(show)
		if a.Ctx.Err() != nil {
			return endOfWatch(a.Ctx)
		}
		if err != nil && first && len(text) == 0 {
			return err
		}
		if err != nil { // what is damaged is shown as that, and may be mended meanwhile
			text = append(text, "error: "+cli.MessageOf(err)+"\n"...)
		}
		now := text
		if !a.JSON && !cli.IsTerminal(a.Stdout) { // that time goes by is nothing new to a program
			now = a.capturedJSON(show)
		}
		if first || !bytes.Equal(now, last) {
			if err := a.Redraw(text, first); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-a.Ctx.Done():
			return endOfWatch(a.Ctx)
		case <-time.After(lookEvery):
		}
	}
}

// capturedJSON is what is shown as JSON, which has no ages. An error is in the other form.
func (a *app) capturedJSON(show func() error) []byte {
	a.JSON = true
	defer func() { a.JSON = false }()
	text, _ := a.Captured(show)
	return text
}

// endOfWatch is how a verb ends that goes on until it is told to end: with the signal's
// exit code, and nothing to report.
func endOfWatch(ctx context.Context) error {
	cause := context.Cause(ctx)
	var sig *cli.SignalError
	if errors.As(cause, &sig) {
		return &cli.ChildError{Code: cli.ExitOfSignal(sig.Sig)}
	}
	return cause
}
