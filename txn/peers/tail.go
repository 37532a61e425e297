package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/txn/peers/tail"
	"github.com/jtx-project/jtx/txn/speed"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// imageEvery is how many bytes of patches make an image due, where the document is
// no larger: as in jtx.
const imageEvery = 32 << 10

// tailed are plain files with a journal each behind a shared log. What a commit does
// with the document is what jtx does at write-behind: it looks whether the file is
// still the one that was written, applies an RFC 6902 patch, and makes a record of
// that with the versions' hashes. The files follow at Flush.
type tailed struct {
	dir  string
	fs   fsys.FS
	id   wal.ID
	log  *tail.Log
	docs []*tailedDocument
}

type tailedDocument struct {
	mu      sync.Mutex
	name    string
	file    *tail.File
	doc     *jsonpatch.Document
	version wal.Version
	bytes   int64      // of patches since the last image
	unit    *tail.Unit // the last one; nil before the first
	applied wal.LSN    // what the plain file has
	found   wal.FileID // the plain file
}

func openTailed(dir string, fs fsys.FS, doc []byte, copies int) (speed.Documents, error) {
	t := &tailed{dir: dir, fs: fs, id: wal.NewID()}
	for i := range copies {
		d := &tailedDocument{name: fmt.Sprintf("doc%d.json", i)}
		t.docs = append(t.docs, d)
		err := os.WriteFile(t.path(d), doc, 0o600)
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, ".jtx", "files", d.name), 0o700)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if t.log, err = tail.Open(filepath.Join(dir, ".jtx"), tail.Options{FS: fs}); err != nil {
		return nil, err
	}
	for _, d := range t.docs {
		if err := t.adopt(d, doc); err != nil {
			return nil, errors.Join(err, t.log.Close())
		}
	}
	return t, t.Flush()
}

func (t *tailed) path(d *tailedDocument) string { return filepath.Join(t.dir, d.name) }

// adopt begins the history of a file.
func (t *tailed) adopt(d *tailedDocument, data []byte) (err error) {
	if d.file, err = t.log.File(d.name); err != nil {
		return err
	}
	if d.doc, err = jsonpatch.Parse(data, jsonpatch.Limits{}); err != nil {
		return err
	}
	if d.found, err = t.fileID(d); err != nil {
		return err
	}
	d.version = wal.VersionOf(data)
	d.unit, err = t.log.Append(tail.Part{File: d.file, Record: &wal.Record{Kind: wal.KindImage, Flags: wal.FlagForeign, Rev: 1, Unit: wal.NewID(),
		Txns: []wal.Txn{{ID: wal.NewID(), Time: time.Now(), Actor: "outside", Patch: []byte("[]")}}, After: d.version, Image: data}})
	return err
}

func (t *tailed) fileID(d *tailedDocument) (wal.FileID, error) {
	info, err := t.fs.Lstat(t.path(d))
	if err != nil {
		return wal.FileID{}, err
	}
	return wal.FileIDOf(info), nil
}

func (t *tailed) Add(docs ...int) error {
	u, err := t.append(slices.Sorted(slices.Values(docs)))
	if err != nil {
		return err
	}
	return t.log.Wait(u)
}

// append holds the documents' locks until their unit is in line: whoever has one of
// them next is behind it there, too.
func (t *tailed) append(docs []int) (*tail.Unit, error) {
	id, now := wal.NewID(), time.Now()
	var all []wal.Participant
	for _, i := range docs {
		d := t.docs[i]
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(docs) > 1 {
			all = append(all, wal.Participant{Workspace: t.id, Root: t.dir, Path: d.name, LSN: d.file.LSN() + 1})
		}
	}
	parts, next := make([]tail.Part, len(docs)), make([]*jsonpatch.Document, len(docs))
	for n, i := range docs {
		d := t.docs[i]
		rec, doc, err := t.added(d)
		if err != nil {
			return nil, err
		}
		rec.Unit, rec.Participants, rec.Txns[0].ID, rec.Txns[0].Time = id, all, id, now
		parts[n], next[n] = tail.Part{File: d.file, Record: rec}, doc
	}
	u, err := t.log.Append(parts...)
	if err != nil {
		return nil, err
	}
	for n, i := range docs {
		t.docs[i].advance(u, parts[n].Record, next[n])
	}
	return u, nil
}

// added makes the record that adds 1 to the document's number.
func (t *tailed) added(d *tailedDocument) (*wal.Record, *jsonpatch.Document, error) {
	if now, err := t.fileID(d); err != nil || now != d.found {
		return nil, nil, fmt.Errorf("%s was edited outside: %w", d.name, errors.Join(err, errors.ErrUnsupported))
	}
	n, err := numberIn(d.doc.Bytes())
	if err != nil {
		return nil, nil, err
	}
	patch := jsonpatch.Patch{{Op: "replace", Path: jsonpatch.Pointer{"n"}, Value: fmt.Append(nil, n+1)}}
	doc, _, err := d.doc.Apply(patch, jsonpatch.Limits{})
	if err != nil {
		return nil, nil, err
	}
	rec := &wal.Record{Kind: wal.KindPatch, Flags: wal.FlagBehind | wal.FlagNoDirSync, Rev: uint64(d.file.LSN()) + 1,
		Txns: []wal.Txn{{Actor: "peers", Patch: patch.Encode()}}, Before: d.version, After: wal.VersionOf(doc.Bytes())}
	if d.bytes > max(imageEvery, rec.After.Size) {
		rec.Kind, rec.Image = wal.KindImage, doc.Bytes()
	}
	return rec, doc, nil
}

func (d *tailedDocument) advance(u *tail.Unit, rec *wal.Record, doc *jsonpatch.Document) {
	d.unit, d.doc, d.version = u, doc, rec.After
	d.bytes += rec.Size()
	if rec.HasImage() {
		d.bytes = 0
	}
}

// Get is what was acknowledged last, or is about to be.
func (t *tailed) Get(doc int) (int, error) {
	d := t.docs[doc]
	d.mu.Lock()
	u, text := d.unit, d.doc.Bytes()
	d.mu.Unlock()
	if err := t.log.Wait(u); err != nil {
		return 0, err
	}
	return numberIn(text)
}

// Flush replaces each file that lags, with its directory synced before its state
// says so.
func (t *tailed) Flush() error {
	var lagging []*tailedDocument
	for _, d := range t.docs {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.applied < d.file.LSN() {
			lagging = append(lagging, d)
			if err := t.log.Wait(d.unit); err != nil {
				return err
			}
		}
	}
	errs := make([]error, len(lagging)+1)
	var group sync.WaitGroup
	group.Go(func() { errs[len(lagging)] = t.log.Checkpoint() })
	for i, d := range lagging {
		group.Go(func() { errs[i] = fsys.WriteFileAtomic(t.fs, t.path(d), d.doc.Bytes(), 0o600) })
	}
	group.Wait()
	if err := errors.Join(append(errs, fsys.SyncDir(t.fs, t.dir))...); err != nil {
		return err
	}
	for _, d := range lagging {
		if err := t.settle(d); err != nil {
			return err
		}
	}
	return nil
}

func (t *tailed) settle(d *tailedDocument) (err error) {
	if d.found, err = t.fileID(d); err != nil {
		return err
	}
	d.applied = d.file.LSN()
	return t.log.Settle(d.file, d.applied, d.found, d.version)
}

func (t *tailed) Close() error {
	err := errors.Join(t.Flush(), t.log.Close())
	for _, d := range t.docs {
		err = errors.Join(err, d.file.Close())
	}
	return err
}
