package session

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/jtx-project/jtx/cmd/internal/change"
)

// order lets requests that name the same file be answered in the order in which they
// came; others don't wait for each other. Changes of the same files that follow each other
// are handed to the store in their order, without an answer in between: it commits as a
// group what has come meanwhile.
type order struct {
	mu   sync.Mutex
	last map[string]*turn // the last request that names the file, until it is answered
}

// turn is a request's place in the order.
type turn struct {
	order    *order
	names    []string
	group    string          // what changes that the store may group have in common
	before   []chan struct{} // closed when it may begin,
	answered []chan struct{} // and when it may be answered
	once     sync.Once
	placed   chan struct{} // closed when the store has it in line
	done     chan struct{} // closed when it is answered
}

// enter puts a request behind those that name one of its files; behind all where it
// means all.
func (o *order) enter(req *request) *turn {
	o.mu.Lock()
	defer o.mu.Unlock()
	names := req.names()
	t := &turn{order: o, names: names, group: req.group(names), placed: make(chan struct{}), done: make(chan struct{})}
	for name, last := range o.last {
		if req.Do != "log" && !slices.Contains(t.names, name) {
			continue
		}
		t.answered = append(t.answered, last.done)
		if t.group != "" && t.group == last.group {
			t.before = append(t.before, last.placed)
		} else {
			t.before = append(t.before, last.done)
		}
	}
	for _, name := range t.names {
		o.last[name] = t
	}
	return t
}

// wait returns when it is the request's turn.
func (t *turn) wait(ctx context.Context) error { return all(ctx, t.before) }

// mayAnswer returns when those before it are answered.
func (t *turn) mayAnswer(ctx context.Context) error { return all(ctx, t.answered) }

func all(ctx context.Context, closed []chan struct{}) error {
	for _, c := range closed {
		select {
		case <-c:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// place lets the next of its group begin.
func (t *turn) place() { t.once.Do(func() { close(t.placed) }) }

// leave lets the next one in, when those before it are answered: one that is cancelled may
// be answered before them, and what comes behind it must not pass them by.
func (t *turn) leave() {
	_ = t.mayAnswer(context.Background()) // which has no end
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	t.place()
	close(t.done)
	for _, name := range t.names {
		if t.order.last[name] == t {
			delete(t.order.last, name)
		}
	}
}

// group is the same for changes that the store commits in the order in which it gets them.
func (r *request) group(names []string) string {
	if r.Do != "change" || r.DryRun || len(r.IfRev) > 0 {
		return ""
	}
	return strings.Join(names, "\x00") + "\x00" + r.Durability
}

// names are the files that a request is about, spelt in one way. A watch is about what
// is still to come.
func (r *request) names() []string {
	var names []string
	if r.Do == "watch" {
		return nil
	}
	for _, file := range slices.Concat(r.Files, change.Files(r.steps)) {
		name, err := filepath.Abs(file)
		if err != nil { // nobody knows where this process is
			name = filepath.Clean(file)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
