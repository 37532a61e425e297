package session

import (
	"context"
	"path/filepath"
	"slices"
	"sync"

	"github.com/jtx-project/jtx/cmd/internal/change"
)

// order lets requests that name the same file be answered in the order in which they
// came; others don't wait for each other.
type order struct {
	mu   sync.Mutex
	last map[string]chan struct{} // closed when the last request that names the file is answered
}

// turn is a request's place in the order.
type turn struct {
	order *order
	names []string
	after []chan struct{}
	done  chan struct{}
}

// enter puts a request behind those that name one of its files; behind all where it
// names none and means all.
func (o *order) enter(names []string, all bool) *turn {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := &turn{order: o, names: names, done: make(chan struct{})}
	for name, last := range o.last {
		if all || slices.Contains(names, name) {
			t.after = append(t.after, last)
		}
	}
	for _, name := range names {
		o.last[name] = t.done
	}
	return t
}

// wait returns when it is the request's turn.
func (t *turn) wait(ctx context.Context) error {
	for _, earlier := range t.after {
		select {
		case <-earlier:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// leave lets the next one in.
func (t *turn) leave() {
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	close(t.done)
	for _, name := range t.names {
		if t.order.last[name] == t.done {
			delete(t.order.last, name)
		}
	}
}

// names are the files that a request is about, spelt in one way. A watch is about what
// is still to come.
func (r *request) names() []string {
	var names []string
	if r.Do == "watch" {
		return nil
	}
	for _, file := range slices.Concat(r.Files, change.Files(r.steps)) {
		if name := filepath.Clean(file); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
