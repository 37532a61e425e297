package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// DefaultPoll is how often a watch looks by itself: for file systems that tell of
// no events, such as those of a network.
const DefaultPoll = 2 * time.Second

// WatchOptions say where a watch begins, and how it looks.
type WatchOptions struct {
	// Since is a time or a transaction: what was committed later is yielded. The
	// zero Point is now.
	Since Point
	// After begins behind a revision, by file; it goes before Since. The last
	// revision that was yielded of each file resumes a watch exactly.
	After map[string]uint64
	// Poll is how often to look where nothing tells of a change, DefaultPoll if 0.
	Poll time.Duration
	// Patches asks for the patch of each change.
	Patches bool
}

// Watch yields each transaction that changes any of the files, of whatever
// process, as it is committed: each once, none left out, one of several files as
// one entry, and an effect never before its cause. With no file it follows every
// tracked file at or below the store's directory; one that is tracked later joins
// with all of its history. Otherwise transactions that have no file in common may
// come in another order than that of their times.
//
// A change made outside jtx is recorded as soon as it is seen, and yielded as any
// other; one that is no document, or that the caller may not record, waits for
// somebody to settle it.
//
// A file or a workspace that can't be looked at keeps it from nothing else: OnSkipped is
// told, and it joins when it can be. It ends with an error: that of the context,
// ErrNotFound where retention has dropped what comes next, or what reading the journals
// came to; of that the first look is enough where no file can be looked at.
func Watch(ctx context.Context, store *txn.Store, files []string, o WatchOptions) iter.Seq2[Entry, error] {
	s := of(store)
	return func(yield func(Entry, error) bool) {
		w := &watch{s: s, ctx: ctx, files: files, o: o, cursors: map[string]cursor{}, barred: map[string]error{}, after: map[string]uint64{}, given: map[string]wal.FileID{}, wake: newWaker(o.Poll)}
		defer w.wake.close()
		for {
			again, err := w.round(yield)
			if errors.Is(err, errLeft) {
				return
			}
			if err == nil && !again {
				err = w.wake.wait(ctx)
			}
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
		}
	}
}

// errLeft tells that the caller's loop was left.
var errLeft = errors.New("stopped")

// watch follows files.
type watch struct {
	s       past
	ctx     context.Context
	files   []string
	o       WatchOptions
	begun   time.Time         // when the first look was taken
	since   Point             // where to begin, but for
	after   map[string]uint64 // the files with a revision, by real path
	cursors map[string]cursor // by real path
	barred  map[string]error  // why a file can't be looked at; when it can, it begins as the others did
	// given are the edits from outside that could not be recorded, so that they
	// are not tried again until they change.
	given map[string]wal.FileID
	wake  *waker
}

// cursor is how far a file's history was yielded.
type cursor struct {
	last wal.LSN
	rev  uint64
	time time.Time // no version up to there is later
}

func cursorOf(h versions.Head) cursor { return cursor{h.Last, h.Rev, h.Time} }

// round yields what is new. It tells to look again at once where that has
// recorded an edit from outside.
func (w *watch) round(yield func(Entry, error) bool) (again bool, err error) {
	heads, err := w.heads()
	if errors.Is(err, txn.ErrLockTimeout) {
		return false, nil // a long transaction: it is over some time
	}
	if err != nil {
		return false, err
	}
	if err := w.begin(heads); err != nil {
		return false, err
	}
	if err := w.deliver(heads, yield); err != nil {
		return false, err
	}
	for _, h := range heads {
		if h.Lags {
			recorded, err := w.record(h)
			if err != nil && w.ctx.Err() == nil {
				err = w.skip(h, fault.In(h.Target.Name, err))
			}
			if err != nil {
				return false, err
			}
			again = again || recorded
		}
	}
	return again, nil
}

// heads finds where the histories end, of the files that are tracked at that very
// moment: a unit that makes a file must not come without it, and again with it.
func (w *watch) heads() ([]versions.Head, error) {
	targets, err := w.look()
	for err == nil {
		var heads []versions.Head
		if heads, err = w.s.Heads(w.ctx, targets, versions.Looking{Each: true, Silent: true}); err != nil {
			break
		}
		before := targets
		if targets, err = w.look(); err == nil && slices.EqualFunc(before, targets, sameTarget) {
			return w.usable(heads)
		}
	}
	return nil, err
}

// usable leaves out what can't be looked at.
func (w *watch) usable(heads []versions.Head) (good []versions.Head, err error) {
	for _, h := range heads {
		if h.Err == nil {
			good = append(good, h)
		} else if err = w.skip(h, h.Err); err != nil && w.begun.IsZero() {
			return nil, err
		}
	}
	if w.begun.IsZero() && len(good) == 0 && len(heads) > 0 {
		return nil, heads[0].Err
	}
	return good, nil
}

// skip passes over a file. It tells of it once.
func (w *watch) skip(h versions.Head, why error) error {
	was := w.barred[h.Target.Real]
	w.barred[h.Target.Real] = why
	if was != nil && was.Error() == why.Error() {
		return nil
	}
	if w.s.OnSkipped == nil {
		return why
	}
	w.s.OnSkipped(why)
	return nil
}

func sameTarget(a, b *workspace.Target) bool { return a.Real == b.Real && a.Dir == b.Dir }

// look resolves the files anew, since their workspace may be made while they are
// watched, and asks to be woken by changes from before they are read.
func (w *watch) look() ([]*workspace.Target, error) {
	dirs, names := map[string]bool{w.s.Dir: true}, map[string]bool{}
	targets, err := w.targets(dirs)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		names[t.Real] = true
		dirs[filepath.Dir(t.Real)] = true
		if t.WS != nil {
			dirs[t.Dir] = true
		}
	}
	w.wake.on(dirs, names)
	return targets, nil
}

func (w *watch) targets(dirs map[string]bool) ([]*workspace.Target, error) {
	if len(w.files) > 0 {
		return w.s.Targets(w.ctx, w.files)
	}
	sc, err := w.s.Scope(w.ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, ws := range sc.Workspaces {
		dirs[filepath.Join(ws.Meta(), workspace.FilesDir)] = true
	}
	return sc.Files, nil
}

// begin places the cursors of the files that are there at the first look, and of those
// that could not be looked at then. A file that joins later is new: all of it is.
func (w *watch) begin(heads []versions.Head) (err error) {
	if !w.begun.IsZero() {
		for _, h := range heads {
			if _, has := w.cursors[h.Target.Real]; !has && w.barred[h.Target.Real] != nil {
				if err := w.place(h); err != nil {
					return err
				}
			}
			delete(w.barred, h.Target.Real)
		}
		return nil
	}
	w.begun = time.Now()
	if w.since, err = w.s.fixed(w.ctx, heads, w.o.Since); err != nil {
		return err
	}
	if w.since.kind != pointCurrent && w.since.kind != pointMoment {
		return &txn.Error{Kind: txn.ErrInvalid, Err: fmt.Errorf("a watch begins at a time, a transaction, or revisions of files")}
	}
	for name, rev := range w.o.After {
		name = w.s.Abs(name)
		if w.barred[name] != nil {
			w.after[name] = rev
			continue
		}
		t, err := w.s.Resolve(w.ctx, name)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(heads, func(h versions.Head) bool { return h.Target.Real == t.Real }) && w.barred[t.Real] == nil {
			return &txn.Error{Kind: txn.ErrNotFound, File: t.Real, Err: fmt.Errorf("is not among the watched files that have a history")}
		}
		w.after[t.Real] = rev
	}
	for _, h := range heads {
		if err := w.place(h); err != nil {
			return err
		}
	}
	return nil
}

// place puts a file's cursor where the watch begins.
func (w *watch) place(h versions.Head) (err error) {
	c := cursorOf(h)
	switch rev, given := w.after[h.Target.Real]; {
	case given:
		c, err = w.s.afterRev(h, rev)
	case w.since.kind == pointMoment:
		c, err = w.s.cursorSince(h, w.since.moment)
	case w.barred[h.Target.Real] != nil:
		var m *versions.Moment
		if m, err = w.s.MomentOf([]versions.Head{h}, w.begun); err == nil {
			c, err = w.s.cursorSince(h, m)
		}
	}
	w.cursors[h.Target.Real] = c
	return err
}

func (s past) afterRev(h versions.Head, rev uint64) (cursor, error) {
	if rev > h.Rev {
		return cursor{}, &txn.Error{Kind: txn.ErrNotFound, File: h.Target.Name, Err: fmt.Errorf("has no revision %d: the newest is %d", rev, h.Rev)}
	}
	return s.cursorAt(h, func(rec *wal.Record) bool { return rec.Rev <= rev })
}

// cursorSince is behind the newest version at a moment.
func (s past) cursorSince(h versions.Head, m *versions.Moment) (cursor, error) {
	early, err := s.UpTo(h, m)
	if err != nil {
		return cursor{}, err
	}
	return s.cursorAt(h, early)
}

// cursorAt is behind the newest version for which early holds.
func (s past) cursorAt(h versions.Head, early func(*wal.Record) bool) (cursor, error) {
	if h.Last == 0 {
		return cursor{}, nil
	}
	last, err := s.LastWhere(h, early)
	if err != nil || last == 0 {
		return cursor{}, err
	}
	for rec, err := range s.Versions(h.Target, last) {
		if err != nil {
			return cursor{}, err
		}
		if early(rec) {
			return cursor{last, rec.Rev, rec.Time()}, nil
		}
		last = rec.LSN - 1 // it is the second revision of a clash
	}
	return cursor{last: last}, nil
}

// record lets recovery make a version of an edit from outside. It tells whether
// that has one now.
func (w *watch) record(h versions.Head) (bool, error) {
	var id wal.FileID
	if info, err := w.s.FS.Lstat(h.Target.Real); err == nil {
		id = wal.FileIDOf(info)
	}
	if was, tried := w.given[h.Target.Real]; tried && was == id {
		return false, nil
	}
	recorded := false
	err := w.s.Locked(w.ctx, []string{h.Target.Real}, doors.Locking{MendDamage: true}, func(ses *doors.Files) error {
		recorded = ses.Targets[0].File.Log.State().Last > h.Last
		return nil
	})
	delete(w.given, h.Target.Real)
	if errors.Is(err, txn.ErrLockTimeout) {
		return false, nil // whoever holds it records the edit
	}
	if !recorded {
		w.given[h.Target.Real] = id
	}
	if fault.CannotWrite(err) {
		err = nil
	}
	return recorded, err
}
