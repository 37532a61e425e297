package speed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal/fsys"
)

// JTX are jtx's own systems.
func JTX() []System {
	return []System{
		jtx("jtx-full", txn.Options{}),
		jtx("jtx-journal", txn.Options{Durability: txn.Journal}),
		jtx("jtx-write-behind", txn.Options{WriteBehind: txn.WriteBehind{Delay: lag}}),
	}
}

func jtx(name string, opt txn.Options) System {
	return System{Name: name, Counted: true, Open: func(dir string, fs fsys.FS, doc []byte, copies int) (Documents, error) {
		opt = txntest.With(opt, txntest.Hooks{FS: fs})
		s, err := txn.Open(dir, opt)
		if err != nil {
			return nil, err
		}
		d := &jtxDocuments{store: s}
		for i := range copies {
			d.files = append(d.files, fmt.Sprintf("doc%d.json", i))
			if err := os.WriteFile(filepath.Join(dir, d.files[i]), doc, 0o600); err != nil {
				return nil, err
			}
		}
		return d, nil
	}}
}

type jtxDocuments struct {
	store *txn.Store
	files []string
}

func (d *jtxDocuments) Add(docs ...int) error {
	files := make([]string, len(docs))
	for i, doc := range docs {
		files[i] = d.files[doc]
	}
	_, err := d.store.Do(context.Background(), files, func(tx *txn.Tx) error {
		for _, file := range files {
			var n int
			if err := tx.Decode(file, "/n", &n); err != nil {
				return err
			}
			if err := tx.Set(file, "/n", n+1); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

func (d *jtxDocuments) Get(doc int) (n int, err error) {
	file := d.files[doc]
	err = d.store.View(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Decode(file, "/n", &n) })
	return n, err
}

func (d *jtxDocuments) Flush() error { return d.store.Flush(context.Background()) }
func (d *jtxDocuments) Close() error { return d.store.Close() }
