package session

import "sync"

// workers run requests. A goroutine that is used again has its stack at the size that a
// transaction needs: to double that of a new one, with all frames moved each time, takes
// an eighth of a small change.
type workers struct {
	running sync.WaitGroup // what was begun, not those who wait for more
	jobs    chan func()
	spare   chan struct{} // one for each that waits
	ended   chan struct{}
}

// maxSpare bounds how many goroutines wait for work.
const maxSpare = 16

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), spare: make(chan struct{}, maxSpare), ended: make(chan struct{})}
}

// begin runs job beside the caller.
func (w *workers) begin(job func()) {
	w.running.Add(1)
	select {
	case w.jobs <- job:
	default:
		go w.work(job)
	}
}

func (w *workers) work(job func()) {
	for {
		func() {
			defer w.running.Done()
			job()
		}()
		select {
		case w.spare <- struct{}{}:
		default:
			return
		}
		select {
		case job = <-w.jobs:
			<-w.spare
		case <-w.ended:
			return
		}
	}
}

// end waits until all is done.
func (w *workers) end() {
	w.running.Wait()
	close(w.ended)
}
