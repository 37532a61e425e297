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
