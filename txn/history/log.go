package history

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Entry is one transaction as the history tells it. As JSON it has the names of its
// tags, ids and hashes as text, and patches as RFC 6902.
type Entry struct {
	ID      wal.ID    `json:"id"`
	Time    time.Time `json:"time"`            // when it was committed, to the ns, by the clock of then
	Actor   string    `json:"actor,omitempty"` // empty where another program made the change
	Message string    `json:"message,omitempty"`
	Request string    // the client's own name for it, see WithRequest
	// Foreign tells that the change was made outside jtx and found later.
	Foreign bool `json:"foreign,omitempty"`
	// Files are what it changed, in lock order: of those that were asked for.
	Files []FileChange `json:"files"`
	// Others are the files that it changed besides, by absolute path.
	Others []string `json:"others,omitempty"`
}

// FileChange is what a transaction did to one file.
type FileChange struct {
	File string `json:"file"` // absolute
	Rev  uint64 `json:"rev"`
	// Before and After are the content's hashes and sizes.
	Before wal.Version `json:"before"`
	After  wal.Version `json:"after"`
	// Patch is the change by value, where patches were asked for. A file that was
	// made is an "add" of the whole, one that was removed a "remove" of it; a
	// change of layout alone is an empty patch.
	Patch jsonpatch.Patch `json:"patch,omitempty"`
	// Origins say where the content is from, or where it went.
	Origins []Origin `json:"origins,omitempty"`
}

// Origin is another file's part in a change.
type Origin struct {
	How  OriginHow `json:"how"`
	File string    `json:"file,omitempty"` // absolute; empty where it is in another workspace
	Rev  uint64    `json:"rev,omitempty"`  // the version of it that was moved or copied, 0 where it had none
}

// OriginHow is the way from one file to another.
type OriginHow string

// The ways, as they are told.
const (
	MovedFrom  OriginHow = "moved from"
	CopiedFrom OriginHow = "copied from"
	MovedTo    OriginHow = "moved to"
)

// LogOptions narrow a history.
type LogOptions struct {
	// Since leaves out what was committed before a time, or a transaction.
	Since Point
	// Patches asks for the patch of each change, Untold for those of transactions that say
	// nothing of themselves. A patch of a version that is recorded by its bytes is derived
	// from them, which takes its time where these are many.
	Patches, Untold bool
}

// Log yields the transactions that changed any of the files, newest first;
// with no file, any tracked file at or below the store's directory. What was
// taken back, or is not committed, is not in it. It reads no more of the journals
// than the caller's loop asks for, so breaking off early is cheap. An error for a file
// that has no history comes first, and the others follow where the loop goes on.
func Log(ctx context.Context, store *txn.Store, files []string, o LogOptions) iter.Seq2[Entry, error] {
	s := of(store)
	return func(yield func(Entry, error) bool) {
		targets, err := s.Targets(ctx, files)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		m := merge{s: s, ctx: ctx, o: o}
		heads := m.heads(targets, versions.Looking{})
		defer m.stop()
		if m.since, err = s.since(ctx, heads, o.Since); err != nil {
			yield(Entry{}, err)
			return
		}
		for _, h := range heads {
			if h.Last == 0 && slices.ContainsFunc(files, func(f string) bool { return s.Abs(f) == h.Target.Name }) {
				if err := m.addUnrecorded(h); err != nil && !yield(Entry{}, err) {
					return
				}
				continue
			}
			m.add(h)
		}
		m.run(yield)
	}
}

// since is where a history begins that is asked for: what is dated before time is not in
// it, and what was made before, by its own clock, where dated is false.
type since struct {
	time  time.Time
	dated bool
}

func (s past) since(ctx context.Context, heads []versions.Head, p Point) (since, error) {
	switch p.kind {
	case pointCurrent:
		return since{}, nil
	case pointTime:
		return since{time: p.time}, nil
	case pointTx:
		rec, err := s.recordIn(ctx, heads, p.tx)
		if err != nil {
			return since{}, err
		}
		return since{rec.Time(), true}, nil
	default:
		return since{}, &txn.Error{Kind: txn.ErrInvalid, Err: errNoMoment}
	}
}

// isAfter tells that a version was committed before, as all older ones were.
func (b since) isAfter(rec *wal.Record) bool {
	if b.dated {
		return rec.Time().Before(b.time)
	}
	return rec.Made().Before(b.time)
}

// heads are those of the files. Where they can't all be had at one moment, each is
// looked at by itself: one that is damaged or unreadable leaves the others.
func (m *merge) heads(targets []*workspace.Target, how versions.Looking) []versions.Head {
	how.Each = true
	list, err := m.s.Heads(m.ctx, targets, how)
	if err != nil {
		m.errs = append(m.errs, err)
	}
	return slices.DeleteFunc(list, func(h versions.Head) bool {
		if h.Err != nil {
			m.errs = append(m.errs, h.Err)
		}
		return h.Err != nil
	})
}

// yieldUnit yields the transactions of a unit, the last first.
func (s past) yieldUnit(unit []located, o LogOptions, yield func(Entry, error) bool) (more bool, err error) {
	var ids []wal.ID
	for _, at := range unit {
		for _, t := range at.rec.Txns {
			if !slices.Contains(ids, t.ID) {
				ids = append(ids, t.ID)
			}
		}
	}
	for _, id := range slices.Backward(ids) {
		e, err := s.entry(unit, id, o.Patches || o.Untold && untold(unit, id))
		if err != nil {
			return true, err
		}
		if !yield(e, nil) {
			return false, nil
		}
	}
	return true, nil
}

// untold tells of a transaction that has no message, and has moved or copied nothing.
func untold(unit []located, id wal.ID) bool {
	for _, at := range unit {
		for _, t := range at.rec.Txns {
			if t.ID == id && (t.Message != "" || len(t.Origins) > 0) {
				return false
			}
		}
	}
	return true
}

// entry tells of one transaction what its unit's records say.
func (s past) entry(unit []located, id wal.ID, patches bool) (Entry, error) {
	e := Entry{ID: id}
	for _, at := range unit {
		i := slices.IndexFunc(at.rec.Txns, func(t wal.Txn) bool { return t.ID == id })
		if i < 0 {
			continue
		}
		t := at.rec.Txns[i]
		e.Time, e.Actor, e.Message, e.Request = madeAt(at.rec, t), t.Actor, t.Message, t.RequestID
		e.Foreign = e.Foreign || at.rec.Flags&wal.FlagForeign != 0
		c := FileChange{File: at.h.Target.Name, Rev: at.rec.Rev, Before: at.rec.Before, After: at.rec.After, Origins: originsIn(at, t)}
		if patches {
			var err error
			if c.Patch, err = s.patchOf(at, i); err != nil {
				return e, err
			}
		}
		e.Files = append(e.Files, c)
	}
	e.Others = others(unit)
	return e, nil
}

// madeAt is when one of a record's transactions was committed.
func madeAt(rec *wal.Record, t wal.Txn) time.Time {
	if !rec.Clock.IsZero() {
		return rec.Clock
	}
	return t.Time
}

// originsIn are those of a transaction that name a file.
func originsIn(at located, t wal.Txn) (list []Origin) {
	ways := map[wal.OriginKind]OriginHow{wal.OriginMoved: MovedFrom, wal.OriginCopied: CopiedFrom, wal.OriginLeft: MovedTo}
	for _, o := range t.Origins {
		how, known := ways[o.Kind]
		if !known {
			continue
		}
		told := Origin{How: how, Rev: o.Rev}
		if workspace.ValidRel(o.Path) {
			told.File = filepath.Join(at.h.Target.WS.Root, filepath.FromSlash(o.Path))
		} else if names := others([]located{at}); how != CopiedFrom && len(names) == 1 {
			told.File = names[0] // the only one that was changed besides
		}
		list = append(list, told)
	}
	return list
}

// others lists the participants of a unit that are not among the located ones.
func others(unit []located) []string {
	var names []string
	for _, p := range unit[0].rec.Participants {
		if !slices.ContainsFunc(unit, func(at located) bool { return at.h.Target.IsParticipant(p) }) {
			names = append(names, unit[0].h.Target.NameOf(p))
		}
	}
	return names
}

// Show tells everything of one transaction, patches included. It finds it by the
// time in its id, in the files of the workspaces around the store's directory.
func Show(ctx context.Context, store *txn.Store, id wal.ID) (Entry, error) {
	s := of(store)
	unit, err := s.findTx(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	for _, t := range unit[0].rec.Txns {
		if t.ID == id {
			return s.entry(unit, id, true)
		}
	}
	return s.entry(unit, versions.IdOf(unit[0].rec), true)
}

// patchOf is what the i-th transaction of a record did. Where the record has
// only the bytes that it came to, it is derived from them.
func (s past) patchOf(at located, i int) (jsonpatch.Patch, error) {
	rec, t := at.rec, at.h.Target
	if len(rec.Txns) == 1 {
		switch {
		case !rec.After.Exists:
			return jsonpatch.Patch{{Op: "remove"}}, nil
		case versions.MakesFile(rec):
			doc, err := s.ContentOf(t, rec)
			if errors.Is(err, txn.ErrNotFound) {
				return nil, nil // as below
			}
			if err != nil {
				return nil, err
			}
			return jsonpatch.Patch{{Op: "add", Value: jsonpatch.Compact(doc.Bytes())}}, nil
		}
	}
	patch, err := versions.DecodePatch(rec.Txns[i].Patch, s.Limits)
	if err != nil || len(patch) > 0 || !rec.HasImage() || len(rec.Txns) > 1 {
		return patch, fault.In(t.Name, err)
	}
	before, err := s.ContentUpTo(t, min(rec.LSN, at.h.Last), rec.Rev-1)
	if errors.Is(err, txn.ErrNotFound) {
		return nil, nil // it is the oldest that is kept, or the history was forgotten meanwhile
	}
	if err != nil || before == nil {
		return nil, err
	}
	patch, err = jsonpatch.Diff(before, jsonpatch.Trusted(rec.Image, jsonpatch.JSONC))
	return patch, fault.In(t.Name, err)
}
