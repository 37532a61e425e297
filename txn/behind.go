package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal/fsys"
)

// WriteBehind is for processes that live long and change the same files often: a
// commit is acknowledged at its commit point, when the journals durably hold it,
// and the plain files follow. Whoever uses jtx sees each acknowledged commit, in
// any process, also after a crash or a power cut; a program that reads the plain
// file sees it a little later. The zero value is off.
//
// Transactions that make or remove a file, touch it for the first time or write in
// place are not acknowledged before the files show them.
type WriteBehind struct {
	// Delay is how long the files may lag while transactions keep coming; without
	// new ones they follow within some milliseconds.
	Delay time.Duration
	// Bytes bounds the size of all documents of the store that are ahead of
	// their files; beyond it each transaction waits for its files.
	// DefaultBehindBytes if 0.
	Bytes int64
}

// DefaultBehindBytes is the bound of WriteBehind.Bytes where that is 0.
const DefaultBehindBytes = 64 << 20

// lagging are the files of a store that are behind their journals.
type lagging struct {
	mu    sync.Mutex
	files map[string]*session // by name
	bytes int64
	retry *time.Timer // carries forward what a session could not
}

// staysBehind tells whether u is acknowledged before its files are in place: each
// was there, is tracked, and will be there.
func (u *unit) staysBehind() bool {
	if u.ses.s.opt.WriteBehind.Delay <= 0 || !u.ses.call.parks || u.durability == None {
		return false
	}
	for _, f := range u.files {
		found := &f.draft.found
		if !f.after.Exists || found.Doc == nil || f.log.Empty() || workspace.LinksOf(found.Info) != 1 || recovery.MountPoint(f.t.Real) || f.t.File.MayReplace() != nil {
			return false
		}
	}
	return true
}

// runBehind is the commit protocol up to the commit point. `state` stays pending,
// so that everybody else carries the files forward first, if this process doesn't.
func (u *unit) runBehind() error {
	u.behind = true
	if err := u.record(); err != nil {
		return err
	}
	if err := u.append(); err != nil {
		return u.withdraw(err)
	}
	if err := u.commitPoint(); err != nil {
		return u.withdraw(err)
	}
	if err := u.lookBack(); err != nil {
		return err
	}
	for _, f := range u.files {
		next := &workspace.Ahead{Doc: f.draft.doc, Version: f.after, Strict: f.draft.knownStrict(), Rec: f.rec, Segment: f.segment, Since: time.Now()}
		if f.t.Ahead != nil {
			next.Segment, next.Since = f.t.Ahead.Segment, f.t.Ahead.Since
		}
		f.t.Ahead = next
	}
	u.ses.countLagging()
	u.ses.publish()
	return nil
}

// lookBack writes `state` once more. It is of use to others, but above all it fails
// where the disk went away while it was asked to sync and said yes: then it is asked
// again. A commit that puts its files in place finds that out by doing so.
func (u *unit) lookBack() error {
	for _, f := range u.files {
		if u.tellReaders(f); u.untold != nil {
			u.lagging, u.ses.spoiled = true, true
		}
	}
	return u.believe()
}

// countLagging brings the store's account of this session's files up to date.
func (ses *session) countLagging() {
	l := &ses.s.lagging
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes -= ses.behind
	ses.behind = 0
	for _, t := range ses.Targets {
		if t.Ahead != nil {
			l.files[t.Name] = ses
			ses.behind += t.Ahead.Version.Size
		} else if l.files[t.Name] == ses {
			delete(l.files, t.Name)
		}
	}
	l.bytes += ses.behind
}

// late tells that the files have lagged long enough, or that too many do.
func (ses *session) late() bool {
	if ses.behind == 0 {
		return false
	}
	opt := ses.s.opt.WriteBehind
	for _, t := range ses.Targets {
		if t.Ahead != nil && time.Since(t.Ahead.Since) > opt.Delay {
			return true
		}
	}
	l := &ses.s.lagging
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := opt.Bytes
	if limit <= 0 {
		limit = DefaultBehindBytes
	}
	return l.bytes > limit
}

// catchUp puts in place what is committed and not there yet. A file that another
// program changed meanwhile is left to recovery: its edit is rebased on what was
// committed.
func (ses *session) catchUp() error {
	u := &unit{ses: ses, durability: Full}
	for _, t := range ses.Targets {
		if a := t.Ahead; a != nil {
			f := &unitFile{change: &change{draft: &draft{doc: a.Doc}}, t: t, log: t.File.Log, rec: a.Rec, segment: a.Segment}
			f.repl = recovery.Replacement{File: t.File, Data: a.Doc.Bytes(), Version: a.Version, Strict: a.Strict}
			u.files = append(u.files, f)
		}
	}
	if len(u.files) == 0 {
		return nil
	}
	err := u.carryForward()
	if err != nil {
		ses.spoiled = true
	}
	ses.countLagging()
	ses.publish()
	return err
}

// carryForward replaces the files of a unit that was acknowledged before.
func (u *unit) carryForward() error {
	var syncs fsys.Syncs
	for _, f := range u.files {
		if err := f.repl.Stage(); err != nil {
			return errors.Join(fault.In(f.t.Name, err), u.discard())
		}
		f.repl.SyncIn(&syncs, f.label)
		fsys.Step("behind.staged")
	}
	if err := syncs.Run(); err != nil {
		return errors.Join(err, u.discard())
	}
	for _, f := range u.files {
		if err := f.repl.Place(f.rec); err != nil {
			return errors.Join(u.again(f, err), u.discard())
		}
		f.placed = true
		fsys.Step("behind.placed")
	}
	u.syncDirs()
	for _, f := range u.files {
		f.repl.Close()
		u.settle(f)
	}
	if u.lagging {
		return &Error{File: u.files[0].t.Name, Err: fmt.Errorf("%s", u.warnings[len(u.warnings)-1])}
	}
	u.tidy()
	return nil
}

// leaveAhead leaves what is ahead to recovery: the journals have it. It tells
// whether there was anything.
func (ses *session) leaveAhead() bool {
	ses.unpublish()
	l := &ses.s.lagging
	l.mu.Lock()
	defer l.mu.Unlock()
	left := ses.behind > 0
	l.bytes -= ses.behind
	ses.behind = 0
	for _, t := range ses.Targets {
		t.Ahead = nil
	}
	return left
}

// retryPause is how long a file that could not be carried forward is let be.
const retryPause = time.Second

// flushLater lets recovery carry forward what a session has left, until it succeeds
// or the store is closed.
func (s *Store) flushLater() {
	if s.isClosed() {
		return // who closed it is told
	}
	l := &s.lagging
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retry == nil {
		l.retry = time.AfterFunc(retryPause, func() {
			if s.Flush(context.Background()) != nil {
				s.flushLater()
			}
		})
	} else {
		l.retry.Reset(retryPause)
	}
}

// Flush returns when every commit that was acknowledged before is in place. An error
// says what keeps one from being carried forward: nothing is lost, the journals
// have it, and the store, or whoever next uses the file, tries again.
func (s *Store) Flush(ctx context.Context) error {
	var carry []func() error
	for _, ses := range s.parked.all() {
		carry = append(carry, func() error { ses.yield(); return nil })
	}
	if err := someAtOnce(carry); err != nil {
		return err
	}
	l := &s.lagging
	l.mu.Lock()
	carry = nil
	for name := range l.files {
		carry = append(carry, func() error {
			// Whoever holds the locks carries the file forward before it gives them.
			err := s.locked(ctx, []string{name}, doors.Locking{}, nothing)
			if err == nil {
				l.caughtUp(name)
			}
			return err
		})
	}
	l.mu.Unlock()
	return someAtOnce(carry)
}

// maxFlushes is how many files are carried forward at once.
const maxFlushes = 32

// someAtOnce runs all functions, not too many at once, and joins their errors.
func someAtOnce(fns []func() error) error {
	var errs []error
	for part := range slices.Chunk(fns, maxFlushes) {
		var syncs fsys.Syncs
		for _, fn := range part {
			syncs.Call(fn, nil)
		}
		errs = append(errs, syncs.Run())
	}
	return errors.Join(errs...)
}

// stopRetry keeps a retry that has not begun from beginning.
func (l *lagging) stopRetry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retry != nil {
		l.retry.Stop()
	}
}

// caughtUp forgets a file that is in place, unless it lags again.
func (l *lagging) caughtUp(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ses := l.files[name]; ses != nil && ses.behind == 0 {
		delete(l.files, name)
	}
}

// Close carries forward what lags, gives back all locks and closes all files. A
// transaction that begins later fails with ErrClosed.
func (s *Store) Close() error {
	s.trackDue()
	s.parked.mu.Lock()
	s.parked.closed.Store(true)
	s.parked.mu.Unlock()
	s.lagging.stopRetry()
	err := s.Flush(context.Background())
	s.handles.close()
	return err
}
