package lockmgr

import (
	"os"

	"github.com/gofrs/flock"

	"github.com/jtx-project/jtx/wal/fsys"
)

// queueSuffix names the lock file at which the waiters of all processes line up.
const queueSuffix = ".queue"

// gate is one waiter's place at the head of the line. flock(2) serves blocked
// waiters in order, but lets anybody in who tries while the lock happens to be
// free, and lets readers in beside readers for ever. So whoever has to wait
// locks the queue file first and waits for the lock itself only then; and while
// it does, a mark on the lock file asks those who get in by trying to line up
// as well (tryLockFile). Who may only read leaves no mark; that they stand there is seen
// by the lock on the queue file, which a busy holder makes for them (Held.Idle).
//
// No order of locks is violated: who holds a queue file waits only for its lock
// file, so it stands in the order of locks just before that.
type gate struct {
	fl   *flock.Flock
	mark fsys.File
}

// enterGate waits at the gate of r's lock file. Where there is no queue file, and it
// can't be made by somebody who may only read, there is no gate, only less fairness.
func enterGate(r *Request) *gate {
	queue := Request{Path: r.Path + queueSuffix, Mode: Exclusive, Perm: r.Perm}
	fl, err := openLocked(&queue, block)
	if err != nil {
		return nil
	}
	g := &gate{fl: fl}
	if f, err := fsys.OS.OpenFile(r.Path, os.O_WRONLY|careful, 0); err == nil {
		g.mark = f
		_ = f.Truncate(FileSize + 1)
	}
	return g
}

// pass makes room for the next in line, who sets the mark again. The mark is
// taken away before the gate opens, else it would be the next one's.
func (g *gate) pass() {
	if g == nil {
		return
	}
	if g.mark != nil {
		_ = g.mark.Truncate(FileSize)
		_ = g.mark.Close()
	}
	_ = g.fl.Unlock()
}
