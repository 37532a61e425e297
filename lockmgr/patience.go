package lockmgr

import (
	"context"
	"time"
)

// patience is how long one call may wait. What it needs of timers is made when
// the first wait begins, so that a call which does not wait pays for none.
type patience struct {
	ctx     context.Context
	timeout time.Duration
	start   time.Time
	told    bool // of the wait
	// limit ends with ctx or at the deadline; nil until something waits.
	limit  context.Context
	cancel context.CancelFunc
}

func newPatience(ctx context.Context, timeout time.Duration) *patience {
	return &patience{ctx: ctx, timeout: timeout, start: time.Now()}
}

// none says that the caller doesn't wait at all.
func (p *patience) none() bool { return p.timeout == 0 }

// done is closed when the wait is over. Who asks for it waits.
func (p *patience) done() <-chan struct{} {
	if p.limit == nil {
		p.begin()
	}
	return p.limit.Done()
}

func (p *patience) begin() {
	if p.timeout < 0 {
		p.limit, p.cancel = context.WithCancel(p.ctx)
		return
	}
	p.limit, p.cancel = context.WithDeadline(p.ctx, p.start.Add(p.timeout))
}

// over says whether the wait is over, without waiting.
func (p *patience) over() bool {
	select {
	case <-p.done():
		return true
	default:
		return false
	}
}

// waited is the time since the call began, or zero where it never had to wait.
func (p *patience) waited() time.Duration {
	if p.limit == nil {
		return 0
	}
	return time.Since(p.start)
}

func (p *patience) stop() {
	if p.cancel != nil {
		p.cancel()
	}
}

// waitNotice is what is done about a wait that is long.
type waitNotice struct {
	after time.Duration
	tell  func(*TimeoutError)
}

type waitNoticeKey struct{}

// WithWaitNotice has tell called, once for each call that waits so long, with what stands
// in the way then: an error as it will be if the wait is in vain, but for its Waited. It is
// called by another goroutine, perhaps when the wait is just over.
func WithWaitNotice(ctx context.Context, after time.Duration, tell func(*TimeoutError)) context.Context {
	return context.WithValue(ctx, waitNoticeKey{}, &waitNotice{after, tell})
}

// tell has it told what a wait is for, if somebody wants to know and it lasts; stop ends
// that with the wait.
func (p *patience) tell(what func() *TimeoutError) (stop func()) {
	notice, _ := p.ctx.Value(waitNoticeKey{}).(*waitNotice)
	if notice == nil || p.told {
		return func() {}
	}
	due := time.Until(p.start.Add(notice.after))
	timer := time.AfterFunc(due, func() { notice.tell(what()) })
	return func() { p.told = !timer.Stop() }
}
