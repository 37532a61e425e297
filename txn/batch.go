package txn

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jtx-project/jtx/wal"
)

// batch is the transactions that are committed as one unit, the leader's first. Each
// runs on what the one before it leaves, on the goroutine of whoever called Do: it
// has the turn while its function runs, and passes it on. What else there is to do
// for it, it does beside the turns of the others.
type batch struct {
	members []*member
	ses     *session
	before  *Tx // the last that did not fail; for the one who has the turn
	working sync.WaitGroup
}

// gather makes m the leader of those who wait.
func (g *group) gather(m *member) *batch {
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
	b := &batch{members: append([]*member{m}, g.waiting[:n]...)}
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.last = len(b.members)
	return b
}

// run gives each the turn, one after the other, and returns when all are done. It is
// called again where the files were changed meanwhile. Where the leader panics there
// is nobody to commit the others, so they are not run.
func (b *batch) run(ses *session) {
	b.ses, b.before = ses, nil
	b.runOne(b.members[0])
	b.working.Add(1)
	b.pass(1)
	b.working.Done()
	b.members[0].prepare()
	b.working.Wait()
}

// pass gives the turn to the i-th member, or to the next whose goroutine is not gone.
func (b *batch) pass(i int) {
	for i < len(b.members) && b.members[i].left {
		i++
	}
	if i < len(b.members) {
		b.working.Add(1)
		b.members[i].orders <- order{turn: b, place: i}
	}
}

// turn runs the i-th member. A panic ends it, which must not keep the others waiting.
func (b *batch) turn(i int) {
	m := b.members[i]
	m.left = true
	defer b.working.Done()
	func() {
		defer b.pass(i + 1)
		b.runOne(m)
	}()
	m.prepare()
	m.left = false
}

func (b *batch) runOne(m *member) {
	tx := newTx(b.ses, b.before)
	if m.run(b.ses, tx); m.tx != nil {
		b.before = m.tx
	}
}

// run calls the transaction's function.
func (m *member) run(ses *session, tx *Tx) {
	m.tx, m.id, m.res = nil, wal.ID{}, Result{Recovered: ses.report, Waited: ses.waited}
	m.call.targets = ses.Targets
	if m.err = ses.checkExpected(m.call); m.err != nil {
		return
	}
	if m.err = protect(m.fn, tx); m.err == nil {
		m.tx = tx
		tx.hash()
	}
}

// prepare finds out what m has done to each file. Where that fails, so does the
// commit, which asks again.
func (m *member) prepare() {
	if m.tx == nil {
		return
	}
	for _, d := range m.tx.drafts {
		if c, err := d.comesTo(m.tx.lim); err == nil && c != nil {
			c.encoded()
		}
	}
}

// handOver tells the batch that it has ended, or lets it be tried again but for its
// leader, and makes the next who waits the leader.
func (g *group) handOver(b *batch, again bool) {
	others := slices.DeleteFunc(b.members[1:], func(m *member) bool { return m.left })
	if !again {
		for _, m := range others {
			m.orders <- order{ended: true}
		}
		others = nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting, g.ended = append(others, g.waiting...), time.Now()
	if len(g.waiting) == 0 {
		g.led = false
		return
	}
	next := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	next.orders <- order{lead: true}
	g.setAlarm()
}
