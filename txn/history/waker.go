package history

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/jtx-project/jtx/txn/internal/workspace"
)

// waker ends a wait when files may have changed, or after a while anyhow: not
// every file system tells of changes, and the kernel's table of watches is finite.
type waker struct {
	poll   time.Duration
	fs     *fsnotify.Watcher // nil where the system has none to give
	names  map[string]bool
	events <-chan fsnotify.Event
	errors <-chan error
}

func newWaker(poll time.Duration) *waker {
	if poll <= 0 {
		poll = DefaultPoll
	}
	k := &waker{poll: poll}
	if fs, err := fsnotify.NewWatcher(); err == nil {
		k.fs, k.events, k.errors = fs, fs.Events, fs.Errors
	}
	return k
}

func (k *waker) close() {
	if k.fs != nil {
		_ = k.fs.Close() // there is nothing in it to lose
	}
}

// on asks to be woken by changes of the names in the directories, and by whatever
// happens in jtx's own. A directory is asked for each time: one that was made anew
// has lost what was asked of the one before.
func (k *waker) on(dirs, names map[string]bool) {
	k.names = names
	if k.fs == nil {
		return
	}
	for dir := range dirs {
		_ = k.fs.Add(dir) // where that fails there is the poll
	}
}

// wait returns when it is time to look again.
func (k *waker) wait(ctx context.Context) error {
	timer := time.NewTimer(k.poll)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		case <-k.errors: // events were lost
			return nil
		case e := <-k.events:
			if k.names[e.Name] || workspace.IsMeta(e.Name) {
				k.drain()
				return nil
			}
		}
	}
}

// drain forgets the events that the next look sees all the same.
func (k *waker) drain() {
	for {
		select {
		case <-k.events:
		default:
			return
		}
	}
}
