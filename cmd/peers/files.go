package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2"
	"github.com/natefinch/atomic"

	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal/fsys"
)

// files are plain files with a mutex each, which excludes only the goroutines of one
// process. Several are written in parallel: there is no transaction.
type files struct {
	names []string
	locks []sync.Mutex
	write func(name string, data []byte) error
}

func newFiles(dir string, doc []byte, copies int, write func(name string, data []byte) error) (speed.Documents, error) {
	f := &files{locks: make([]sync.Mutex, copies), write: write}
	for i := range copies {
		f.names = append(f.names, filepath.Join(dir, fmt.Sprintf("doc%d.json", i)))
		if err := os.WriteFile(f.names[i], doc, 0o600); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func rename(name string, data []byte) error { return renameio.WriteFile(name, data, 0o600) }

// openRenameio is renameio as it is: it syncs the file and not the directory, so
// that a power cut may bring the old version back.
func openRenameio(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	return newFiles(dir, doc, copies, rename)
}

func openRenameioDirsync(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	return newFiles(dir, doc, copies, func(name string, data []byte) error {
		if err := rename(name, data); err != nil {
			return err
		}
		return fsys.SyncDir(fsys.OS, filepath.Dir(name))
	})
}

func openNatefinch(dir string, _ fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	return newFiles(dir, doc, copies, func(name string, data []byte) error { return atomic.WriteFile(name, bytes.NewReader(data)) })
}

func (f *files) Add(docs ...int) error {
	if len(docs) == 1 {
		return f.addTo(docs[0])
	}
	errs := make([]error, len(docs))
	var group sync.WaitGroup
	for i, doc := range docs {
		group.Go(func() { errs[i] = f.addTo(doc) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func (f *files) addTo(doc int) error {
	f.locks[doc].Lock()
	defer f.locks[doc].Unlock()
	data, err := os.ReadFile(f.names[doc])
	if err != nil {
		return err
	}
	if data, err = added(data); err != nil {
		return err
	}
	return f.write(f.names[doc], data)
}

func (f *files) Get(doc int) (int, error) {
	data, err := os.ReadFile(f.names[doc])
	if err != nil {
		return 0, err
	}
	return numberIn(data)
}

func (f *files) Flush() error { return nil }
func (f *files) Close() error { return nil }
