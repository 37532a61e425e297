package main

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys"
)

// pebbles are documents in pebble. It has no transactions that read: a document is
// locked until its new version is in the log, and the sync of that is waited for
// without the lock, so that several share it.
type pebbles struct {
	db    *pebble.DB
	locks []sync.Mutex
}

// quiet is a logger; pebble tells much.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	pebble.DefaultLogger.Fatalf(format, args...)
}

func openPebble(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	db, err := pebble.Open(filepath.Join(dir, "doc.pebble"), &pebble.Options{Logger: quiet{}})
	if err != nil {
		return nil, err
	}
	for i := range copies {
		if err := db.Set(key(i), doc, pebble.Sync); err != nil {
			return nil, err
		}
	}
	return &pebbles{db, make([]sync.Mutex, copies)}, nil
}

func (p *pebbles) Add(docs ...int) error {
	batch := p.db.NewBatch()
	if err := p.apply(batch, slices.Sorted(slices.Values(docs))); err != nil {
		return err
	}
	return errors.Join(batch.SyncWait(), batch.Close())
}

func (p *pebbles) apply(batch *pebble.Batch, docs []int) error {
	for _, doc := range docs {
		p.locks[doc].Lock()
		defer p.locks[doc].Unlock()
		data, closer, err := p.db.Get(key(doc))
		if err != nil {
			return err
		}
		data, err = added(data)
		if err = errors.Join(err, closer.Close()); err != nil {
			return err
		}
		if err := batch.Set(key(doc), data, nil); err != nil {
			return err
		}
	}
	return p.db.ApplyNoSyncWait(batch, pebble.Sync)
}

func (p *pebbles) Get(doc int) (int, error) {
	data, closer, err := p.db.Get(key(doc))
	if err != nil {
		return 0, err
	}
	n, err := numberIn(data)
	return n, errors.Join(err, closer.Close())
}

func (p *pebbles) Flush() error { return nil }
func (p *pebbles) Close() error { return p.db.Close() }
