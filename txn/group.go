package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	last    int       // how many were committed together last
	ended   time.Time // when that was
	alarm   *time.Timer
	rings   time.Time // when the alarm goes off, zero where it has
}

// groupKey is what the transactions of a group have in common.
type groupKey struct {
	files      string // see parkKey
	durability Durability
}

// maxGroup bounds how many transactions are committed as one unit.
const maxGroup = 256

// member is one transaction on its way to its commit.
type member struct {
	ctx   context.Context
	call  *call
	names []string
	fn    func(*Tx) error

	orders chan order
	left   bool // its goroutine is gone, by a panic: nothing is to be told it

	tx  *Tx    // what it did, nil where it failed
	id  wal.ID // of a transaction that doesn't have its unit's
	res Result
	err error
}

// order is what a member is told.
type order struct {
	turn  *batch // run, at this place of it
	place int
	lead  bool // commit, as the new leader
	ended bool // it is committed, or has failed
	late  bool // it has waited for too long, and does not any more
}

// together commits m, in a group where it may be in one.
func (s *Store) together(m *member) {
	if !m.call.parks {
		s.lead(&group{}, m)
		return
	}
	g := s.group(m)
	g.mu.Lock()
	m.call.returns = time.Since(g.ended) < parkTime
	if !g.led {
		g.led = true
		g.mu.Unlock()
		m.placed()
		s.lead(g, m)
		return
	}
	m.orders = make(chan order, 1)
	g.waiting = append(g.waiting, m)
	g.setAlarm()
	g.mu.Unlock()
	m.placed()
	s.follow(g, m)
}

func (m *member) placed() {
	if m.call.inLine != nil {
		m.call.inLine()
	}
}

// group finds the group of a member's files. One that nobody is in is forgotten
// sooner or later.
func (s *Store) group(m *member) *group {
	key := groupKey{parkKey(m.names), m.call.durability}
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
	for {
		switch o := m.await(g); {
		case o.turn != nil:
			o.turn.turn(o.place)
		case o.lead:
			s.lead(g, m)
			return
		case o.late:
			m.err = &Error{Kind: ErrLockTimeout, File: m.names[0], Err: fmt.Errorf("other transactions of this process were before it all the time")}
			return
		default:
			return
		}
	}
}

// await is what m is told next. Where its context ends before anybody has begun to
// commit it, it has ended.
func (m *member) await(g *group) order {
	select {
	case o := <-m.orders:
		return o
	case <-m.ctx.Done():
		if !g.withdraw(m) {
			return <-m.orders
		}
		m.err = context.Cause(m.ctx)
		return order{ended: true}
	}
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

// setAlarm sees to it that the first who waits, who has waited longest, is told when
// its time is over.
func (g *group) setAlarm() {
	if len(g.waiting) == 0 {
		return
	}
	at := g.waiting[0].call.deadline
	if !g.rings.IsZero() && !at.Before(g.rings) {
		return
	}
	g.rings = at
	if g.alarm == nil {
		g.alarm = time.AfterFunc(time.Until(at), g.ring)
	} else {
		g.alarm.Reset(time.Until(at))
	}
}

// ring ends the wait of those whose time is over.
func (g *group) ring() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.waiting = slices.DeleteFunc(g.waiting, func(m *member) bool {
		late := !now.Before(m.call.deadline)
		if late {
			m.orders <- order{late: true}
		}
		return late
	})
	g.rings = time.Time{}
	g.setAlarm()
}

// lead commits m and those who wait. A panic of m's own function goes on; the
// others are for the next leader then.
func (s *Store) lead(g *group, m *member) {
	b := g.gather(m)
	again := true
	defer func() { g.handOver(b, again) }()
	err := s.commitAll(b)
	m.fail(err)
	again = err != nil
	if errors.Is(err, ErrInDoubt) {
		again = false
		for _, other := range b.members[1:] {
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
func (s *Store) commitAll(b *batch) error {
	committed := false
	m := b.members[0]
	err := s.lockedFor(m.ctx, m.names, m.call, func(ses *session) error {
		b.run(ses)
		err := ses.commit(b.members)
		committed = err == nil
		return err
	})
	if committed {
		return nil
	}
	return err
}
