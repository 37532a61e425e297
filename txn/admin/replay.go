package admin

import (
	"context"
	"fmt"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// checkStrict looks whether `state` is right in saying that what it knows of the file
// is strict JSON: readers believe it.
func (s house) checkStrict(t *workspace.Target) error {
	st, found := t.File.Journal.State(), t.File.Found
	if !st.Strict || found.Version != st.Content {
		return nil
	}
	if _, err := jsonpatch.ParseStrict(found.Data, s.Limits); err != nil {
		return &wal.CorruptError{Path: wal.StatePath(t.Dir), LSN: st.Applied, Reason: fmt.Sprintf("it says that the document is strict JSON: %v", err)}
	}
	return nil
}

// replayAll derives every version in turn and compares it with its record.
func (s house) replayAll(ctx context.Context, t *workspace.Target) error {
	var doc, before *jsonpatch.Document
	var last *wal.Record
	for rec, err := range s.Records(t, 1) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case rec.Kind == wal.KindAbort:
			doc = before
			continue
		case !rec.MakesVersion():
			continue
		}
		before = doc
		if doc, err = recovery.Next(doc, rec, s.Limits); err != nil {
			return err
		}
		if err := recovery.CheckSplices(before, rec, s.Limits); err != nil {
			return err
		}
		if last != nil && last.After != rec.Before && rec.Kind != wal.KindInPlace && rec.Flags&wal.FlagFound == 0 && !aborted(last, rec) {
			return &wal.CorruptError{LSN: rec.LSN, Reason: fmt.Sprintf("begins at another version than LSN %d ended with", last.LSN)}
		}
		last = rec
	}
	return nil
}

// aborted tells that an abort stands between two records.
func aborted(last, next *wal.Record) bool { return next.LSN > last.LSN+1 }
