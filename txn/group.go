package txn

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jtx-project/jtx/wal"
)

// Group commit. The first who comes for some files is the leader: it locks them and
// commits. Those who come for the same files meanwhile wait, and are committed
// together when it is done, by the first of them: one unit, one record in each
// journal, one flush, one rewrite. Nobody waits for others to come but a leader
// whose forerunner had company, and that only for as long as it takes to let
// goroutines run that are ready to.

// group is the transactions of one store over the same files at one durability.
type group struct {
	mu      sync.Mutex
	led     bool // somebody commits
	waiting []*member
	last    int // how many were committed together last
}

// maxGroup bounds how many transactions are committed as one unit.
const maxGroup = 256

// member is one transaction on its way to its commit.
type member struct {
	ctx   context.Context
	call  *call
	names []string
	fn    func(*Tx) error

	orders chan order // nil in one that leads from the start
	left   bool       // its goroutine is gone, by a panic: nothing is to be told it

	tx  *Tx    // what it did, nil where it failed
	id  wal.ID // of a transaction that doesn't have its unit's
	res Result
	err error
}

// order is what a member is told.
type order struct {
	turn  func() // run this, on the goroutine of whoever called Do,
	then  func() // and this, whatever becomes of it
	lead  bool   // commit, as the new leader
	ended bool   // it is committed, or has failed
}

// together commits m, in a group where it may be in one.
func (s *Store) together(m *member) {
	if !m.call.parks {
		m.fail(s.commitAll(m, []*member{m}))
		return
	}
	g := s.group(m)
	g.mu.Lock()
	if !g.led {
		g.led = true
		g.mu.Unlock()
		s.lead(g, m)
		return
	}
	m.orders = make(chan order, 1)
	g.waiting = append(g.waiting, m)
	g.mu.Unlock()
	s.follow(g, m)
}

// group finds the group of a member's files. One that nobody is in is forgotten
// sooner or later.
func (s *Store) group(m *member) *group {
	key := strings.Join(append(slices.Clone(m.names), m.call.durability.String()), "\x00")
	s.groupsMu.Lock()
	defer s.groupsMu.Unlock()
	g := s.groups[key]
	if g == nil {
		if len(s.groups) >= maxGroups {
			s.forgetGroups()
		}
		g = &group{}
		s.groups[key] = g
	}
	return g
}

// maxGroups is how many groups are kept before those without members are
// forgotten.
const maxGroups = 1024

func (s *Store) forgetGroups() {
	for key, g := range s.groups {
		g.mu.Lock()
		if !g.led {
			delete(s.groups, key)
		}
		g.mu.Unlock()
	}
}

// follow does what leaders say until m has ended.
func (s *Store) follow(g *group, m *member) {
	patience := time.NewTimer(time.Until(m.call.deadline))
	defer patience.Stop()
	for {
		select {
		case o := <-m.orders:
			switch {
			case o.turn != nil:
				m.obey(o)
			case o.lead:
				s.lead(g, m)
				return
			case o.ended:
				return
			}
			continue
		case <-m.ctx.Done():
			m.err = context.Cause(m.ctx)
		case <-patience.C:
			m.err = &Error{Kind: ErrLockTimeout, File: m.names[0], Err: errorf("other transactions of this process were before it all the time")}
		}
		if g.withdraw(m) {
			return
		}
		m.err = nil // it is being committed
	}
}

// obey runs a turn. A panic ends m, which must not keep the others waiting.
func (m *member) obey(o order) {
	m.left = true
	defer o.then()
	o.turn()
	m.left = false
}

// withdraw takes back a member that nobody has begun to commit.
func (g *group) withdraw(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, m)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// lead commits m and those who wait. A panic of m's own function goes on; the
// others are for the next leader then.
func (s *Store) lead(g *group, m *member) {
	batch := g.gather(m)
	again := batch[1:]
	defer func() { g.handOver(batch, again) }()
	err := s.commitAll(m, batch)
	m.fail(err)
	if err == nil {
		again = nil
	}
	if errors.Is(err, ErrInDoubt) {
		again = nil
		for _, other := range batch[1:] {
			other.fail(err)
		}
	}
}

// fail is what a failed commit means for a member: nothing new where it had failed
// by itself.
func (m *member) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// commitAll runs the transactions of a batch one after the other, each on what the
// one before it leaves, and commits what they did as one unit. An error behind the
// commit, of giving back the locks, is none of the transactions: to try them again
// would commit them twice.
func (s *Store) commitAll(leader *member, batch []*member) error {
	committed := false
	err := s.withLocks(leader.ctx, leader.names, leader.call, func(ses *session) error {
		ses.runAll(batch)
		err := ses.commit(batch)
		committed = err == nil
		return err
	})
	if committed {
		return nil
	}
	return err
}

// runAll runs the transactions of a batch, whose first is the leader's. Each member
// passes the turn on to the next, and the last one back to the leader.
func (ses *session) runAll(batch []*member) {
	var before *Tx // the last that did not fail
	turn := func(m *member) {
		tx := newTx(ses)
		if before != nil {
			tx = before.next(ses.s)
		}
		if m.run(ses, tx); m.tx != nil {
			before = m.tx
		}
	}
	over := make(chan struct{}, 1)
	var pass func(i int)
	pass = func(i int) {
		for i < len(batch) && batch[i].left {
			i++
		}
		if i == len(batch) {
			over <- struct{}{}
			return
		}
		batch[i].orders <- order{turn: func() { turn(batch[i]) }, then: func() { pass(i + 1) }}
	}
	turn(batch[0])
	if len(batch) > 1 {
		pass(1)
		<-over
	}
}

// run calls the transaction's function.
func (m *member) run(ses *session, tx *Tx) {
	m.tx, m.id, m.res = nil, wal.ID{}, Result{Recovered: ses.report, Waited: ses.waited}
	m.call.targets = ses.targets
	if m.err = ses.checkRevisions(m.call); m.err != nil {
		return
	}
	if m.err = protect(m.fn, tx); m.err == nil {
		m.tx = tx
	}
}

// gather takes those who wait into a leader's batch.
func (g *group) gather(m *member) []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Those who were committed last time are about to come again.
	for seen := -1; g.last > 1 && len(g.waiting)+1 < g.last && len(g.waiting) > seen; {
		seen = len(g.waiting)
		g.mu.Unlock()
		for range 2 {
			runtime.Gosched()
		}
		g.mu.Lock()
	}
	n := min(len(g.waiting), maxGroup-1)
	batch := append([]*member{m}, g.waiting[:n]...)
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.last = len(batch)
	return batch
}

// handOver tells the batch that it has ended, but for those who are to try again,
// and makes the next who waits the leader.
func (g *group) handOver(batch, again []*member) {
	for _, m := range batch[1:] {
		if !m.left && !slices.Contains(again, m) {
			m.orders <- order{ended: true}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	again = slices.DeleteFunc(slices.Clone(again), func(m *member) bool { return m.left })
	g.waiting = append(again, g.waiting...)
	if len(g.waiting) == 0 {
		g.led = false
		return
	}
	next := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	next.orders <- order{lead: true}
}
