package txn

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// A session whose transaction is over is parked: it keeps its locks and journals,
// and what it knows of the files, for the next transaction on the same files. It
// ends when parkTime is over, and before that when somebody wants its locks: at
// once where that is in this process, and where it is another process as soon as a
// transaction is over, or some of them (maxTurns). While it has the locks nobody else
// can have changed the journals, nor can a nearer workspace have come to cover the
// files; what can have changed is the file and the way to it, so that is looked at.
//
// One writer is 1.6 times as fast by it, 5.7 times with write-behind (cmd/peers/README.md).

// parkTime is how long locks are kept without a use for them before it is looked
// whether another process waits: what that may have to wait for nothing. Tests change it.
var parkTime = time.Millisecond

// parked are a store's parked sessions, by the names of their files.
type parked struct {
	mu       sync.Mutex  // held by every transaction: for no system call
	closed   atomic.Bool // set under mu
	sessions map[string]*session
}

func (s *Store) isClosed() bool { return s.parked.closed.Load() }

func parkKey(names []string) string { return strings.Join(names, "\x00") }

// A caller that comes back at once has the locks for so many transactions, and for so long,
// though another process waits: a hand-over between processes takes as long as a small
// commit. Tests change how long.
const maxTurns = 16

var maxTenure = 20 * time.Millisecond

// park keeps a session whose files are as its targets say. It is false where that
// can't be, or where it is the turn of another process that waits for its locks.
func (ses *session) park() bool {
	if !ses.parks() || !ses.inTurn() && ses.held.Wanted() {
		return false
	}
	p := &ses.s.parked
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() || !ses.held.Idle(ses.yield) {
		return false
	}
	p.sessions[parkKey(ses.names)] = ses
	ses.looks = 0
	if ses.timer == nil {
		ses.timer = time.AfterFunc(parkTime, ses.look)
	} else {
		ses.timer.Reset(parkTime)
	}
	return true
}

// inTurn counts a transaction, and tells whether the next one may come before others.
func (ses *session) inTurn() bool {
	ses.turns++
	return ses.call.returns && ses.turns < maxTurns && time.Since(ses.since) < maxTenure
}

func (ses *session) parks() bool {
	if ses.spoiled || !ses.call.parks || len(ses.Extra) > 0 || ses.late() {
		return false
	}
	for _, t := range ses.Targets {
		if found := &t.File.Found; found.Info == nil || found.Err != nil || workspace.LinksOf(found.Info) != 1 {
			return false
		}
		if t.Ahead == nil && !t.File.Log.Trusted() && !t.File.Log.Empty() {
			return false
		}
	}
	return true
}

// unpark takes the parked session of some files, for a call that may have it.
func (s *Store) unpark(ctx context.Context, names []string, c *call) *session {
	if !c.parks || ctx.Err() != nil {
		return nil
	}
	p := &s.parked
	p.mu.Lock()
	defer p.mu.Unlock()
	key := parkKey(names)
	ses := p.sessions[key]
	if ses != nil {
		delete(p.sessions, key)
		ses.timer.Stop()
		ses.held.Busy()
	}
	return ses
}

// look ends a parked session, or lets one whose files are written behind go on for a
// while, if nobody waits for its locks: it is busy processes that have that, whose
// goroutines can't come back at once.
func (ses *session) look() {
	p := &ses.s.parked
	wanted := ses.held.Wanted()
	p.mu.Lock()
	ses.looks++
	stays := !wanted && p.sessions[parkKey(ses.names)] == ses && ses.behind > 0 && ses.looks < maxLooks && ses.held.Idle(ses.yield)
	if stays {
		ses.timer.Reset(parkTime)
	}
	p.mu.Unlock()
	if !stays {
		ses.yield()
	}
}

// maxLooks is how many park times a session lasts whose files are written behind.
const maxLooks = 10

// all lists the parked sessions.
func (p *parked) all() (list []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ses := range p.sessions {
		list = append(list, ses)
	}
	return list
}

// yield ends a session if it is parked.
func (ses *session) yield() {
	p := &ses.s.parked
	key := parkKey(ses.names)
	p.mu.Lock()
	mine := p.sessions[key] == ses
	if mine {
		delete(p.sessions, key)
		ses.timer.Stop()
	}
	p.mu.Unlock()
	if mine {
		// No more could be done about a lock that can't be released or a file that
		// can't be closed.
		_ = ses.end(true)
	}
}

// resume goes on with a session that was parked.
func (ses *session) resume(ctx context.Context, c *call, fn func(*session) error) error {
	ses.Ctx, ses.call, ses.report, ses.waited = ctx, c, nil, 0
	return ses.through(func() error {
		if !ses.asLeft() {
			return workspace.ErrAgain
		}
		return fn(ses)
	})
}

// asLeft tells whether each name still leads to the very file that stood there.
// A save of another program in the same instant as ours, which changes neither the
// size nor a time, is not seen here: the exchange brings it out (see
// [recovery.Replacement]).
func (ses *session) asLeft() bool {
	for _, t := range ses.Targets {
		info, err := ses.s.src.FS.Stat(t.Name)
		if err != nil || !t.File.Found.Is(info) {
			return false
		}
	}
	return true
}

// end carries the files forward that lag, where the session is whole, gives the
// locks back, and closes the journals unless they are kept without the locks: also
// where that panics. A file that can't be carried forward is no error of what was
// acknowledged: it is tried again, and Flush tells of it.
func (ses *session) end(whole bool) (err error) {
	sound := false
	defer func() {
		left := ses.leaveAhead()
		ses.cleanUp()
		if sound && ses.call.parks && !ses.spoiled {
			ses.keepHandles()
		}
		err = ses.release()
		if left {
			ses.s.flushLater()
		}
	}()
	if whole {
		_ = ses.catchUp()
	}
	sound = whole
	return nil
}

// cleanUp removes what is beside and behind the journals only while the files are
// locked.
func (ses *session) cleanUp() {
	for _, t := range ses.All() {
		if t.File != nil {
			t.File.DropSpares()
			// A journal that can't be cut has failed, and is opened anew by the next
			// one to need it, who then cuts it.
			_ = t.File.Log.CutRoom()
		}
	}
}
