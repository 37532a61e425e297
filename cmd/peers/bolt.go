package main

import (
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys"
)

// bolt is bbolt as it is: each transaction is synced.
type bolt struct {
	db     *bbolt.DB
	change func(func(*bbolt.Tx) error) error // Update or Batch
}

var bucket = []byte("docs")

func newBolt(dir string, doc []byte, copies int) (*bolt, error) {
	db, err := bbolt.Open(filepath.Join(dir, "doc.bolt"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	return &bolt{db, db.Update}, db.Update(func(tx *bbolt.Tx) error {
		docs, err := tx.CreateBucket(bucket)
		for i := 0; i < copies && err == nil; i++ {
			err = docs.Put(key(i), doc)
		}
		return err
	})
}

func openBolt(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	return newBolt(dir, doc, copies)
}

// openBoltBatch merges the transactions of several goroutines, each of which waits
// for others up to 10 ms: bbolt's own way of group commit.
func openBoltBatch(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	b, err := newBolt(dir, doc, copies)
	if err == nil {
		b.change = b.db.Batch
	}
	return b, err
}

func (b *bolt) Add(docs ...int) error {
	return b.change(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucket)
		for _, doc := range docs {
			data, err := added(bucket.Get(key(doc)))
			if err != nil {
				return err
			}
			if err := bucket.Put(key(doc), data); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) Get(doc int) (n int, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		n, err = numberIn(tx.Bucket(bucket).Get(key(doc)))
		return err
	})
	return n, err
}

func (b *bolt) Flush() error { return nil }
func (b *bolt) Close() error { return b.db.Close() }
