package fsys

import (
	"errors"
	"os"
	"sync"
)

// Syncs are syncs that are made at once: of the journals of a commit, and of what
// it has staged. The zero value is ready.
type Syncs struct {
	list []pending
}

// pending is one of them.
type pending struct {
	file File
	data bool         // fdatasync(2), not fsync(2)
	call func() error // instead of file
	then func(error) error
	err  error
}

// Watched is a File that wraps another and wants to know of its syncs only.
// BeforeSync is called instead of Sync and Datasync, and returns the file to sync.
type Watched interface {
	File
	BeforeSync() File
}

// Add lists a Sync of f, or a Datasync where data is true. Run gives then, which may
// be nil, its error, and takes what that returns for it.
func (s *Syncs) Add(f File, data bool, then func(error) error) {
	if w, ok := f.(Watched); ok {
		f = w.BeforeSync()
	}
	s.list = append(s.list, pending{file: f, data: data, then: then})
}

// AddDir lists a sync of a directory, see [SyncDir].
func (s *Syncs) AddDir(fsy FS, name string, then func(error) error) {
	f, err := fsy.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		s.Call(func() error { return err }, then)
		return
	}
	s.Add(f, false, func(err error) error {
		err = errors.Join(err, f.Close())
		if then == nil {
			return err
		}
		return then(err)
	})
}

// Call lists something that syncs more than one file, in a row.
func (s *Syncs) Call(fn func() error, then func(error) error) {
	s.list = append(s.list, pending{call: fn, then: then})
}

// Run makes all syncs, and when all have ended calls what follows each, in the order
// of the list. It joins the errors, and leaves s empty.
func (s *Syncs) Run() error {
	list := s.list
	s.list = nil
	switch {
	case len(list) == 1:
		list[0].run()
	case !syncTogether(list):
		inParallel(list)
	}
	var errs []error
	for i := range list {
		err := list[i].err
		if list[i].then != nil {
			err = list[i].then(err)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p *pending) run() {
	switch {
	case p.call != nil:
		p.err = p.call()
	case p.data:
		p.err = p.file.Datasync()
	default:
		p.err = p.file.Sync()
	}
}

// inParallel makes each sync on a goroutine of its own.
func inParallel(list []pending) {
	if len(list) == 0 {
		return
	}
	var wg sync.WaitGroup
	for i := range list[1:] {
		wg.Go(list[i+1].run)
	}
	list[0].run()
	wg.Wait()
}
