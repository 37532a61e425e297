package txn

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Redacted says what a redaction took out.
type Redacted struct {
	Values    int      // different values that stood at the pointer
	Revisions int      // versions in which one of them stood
	Messages  int      // messages in which one was
	Removed   []string // set-aside copies with one of them, which are deleted
	// Elsewhere are revisions in which one of the values still stands, at another
	// pointer.
	Elsewhere []uint64
}

// redactedText takes the place of a value that was taken out.
const redactedText = `"[redacted]"`

// Redact takes every value that a file ever held at a pointer, but for the one that
// it holds now, out of its whole history: each version, each record, the copies of
// damaged content that were set aside, and the errors in the log of operations. Revisions, times and ids stay, and the
// chain is made anew, so that it can be checked as before. It fails with
// ErrConflict while an open transaction has the file, whose copy may hold a value,
// and with ErrNotFound where there is nothing to take out. The bytes may remain in
// free blocks of the disk, and in backups.
func (s *Store) Redact(ctx context.Context, file, pointer string, opts ...Option) (Redacted, error) {
	ptr, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return Redacted{}, fail(file, err)
	}
	if len(ptr) == 0 {
		return Redacted{}, &Error{Kind: ErrInvalid, File: file, Err: errorf("the whole document can't be taken out of its history")}
	}
	if _, err := s.headOf(ctx, file); err != nil {
		return Redacted{}, err
	}
	r := &redaction{s: s, ptr: ptr, secrets: map[string]int{}}
	c := s.newCall(opts)
	c.sweep = true // temporary files too
	began := time.Now()
	err = s.withLocks(ctx, []string{s.abs(file)}, c, func(ses *session) error {
		r.t = ses.targets[0]
		if err := s.notOpen(ctx, r.t); err != nil {
			return err
		}
		return r.run(c.dryRun)
	})
	s.logOutcome([]string{s.abs(file)}, c, began, Result{}, err)
	return r.done, fail(file, err)
}

// notOpen makes sure that no open transaction keeps a copy of the file.
func (s *Store) notOpen(ctx context.Context, t *target) error {
	open, err := s.OpenTxs(ctx, []string{filepath.Dir(t.real)})
	if err != nil {
		return err
	}
	for _, tx := range open {
		if tx.Err != nil {
			return tx.Err // what it has a copy of is not known
		}
		for _, f := range tx.Files {
			if real, err := realPath(s.fs, f.File); err != nil || real == t.real {
				return &Error{Kind: ErrConflict, File: t.name, Err: errorf("open transaction %s has a copy of it: commit or abort that first", tx.ID)}
			}
		}
	}
	return nil
}

// redaction is one on its way through a journal.
type redaction struct {
	s       *Store
	t       *target
	ptr     jsonpatch.Pointer
	secrets map[string]int // compact, and in how many versions each stands
	done    Redacted

	// doc is the version that was reached and red what it becomes; the others
	// are those before, for where an abort takes one back.
	doc, red, docBefore, redBefore *jsonpatch.Document
}

func (r *redaction) run(dryRun bool) error {
	if err := r.collect(); err != nil {
		return err
	}
	if r.done.Values = len(r.secrets); r.done.Values == 0 {
		return &Error{Kind: ErrNotFound, File: r.t.name, Pointer: r.ptr.String(), Err: errorf("no old value of %q is in the history; a current one must be replaced or deleted first", r.ptr)}
	}
	st := r.t.file.Log.State()
	h := head{t: r.t, last: st.Last, rev: st.Rev}
	first, err := r.s.oldestKept(h)
	if err != nil || dryRun {
		return err
	}
	if err := r.t.file.Log.Rebuild(first.LSN, r.rewrite); err != nil {
		return err
	}
	return errors.Join(r.cleanAside(), r.s.cleanLog(r.t.ws.root, r.stands))
}

// collect finds the values: all that ever stood there, but the current one.
func (r *redaction) collect() error {
	var doc, before *jsonpatch.Document
	for rec, err := range wal.Scan(r.s.fs, r.t.dir, 1) {
		if err != nil {
			return err
		}
		switch rec.Kind {
		case wal.KindNote:
			continue
		case wal.KindAbort:
			doc = before
			continue
		}
		before = doc
		if doc, err = recovery.Next(doc, rec, r.s.opt.Limits); err != nil {
			return err
		}
		if value := r.valueIn(doc); value != "" && isVersion(rec) {
			r.secrets[value]++
		}
	}
	if current := r.valueIn(doc); current != "" {
		delete(r.secrets, current)
	}
	for _, n := range r.secrets {
		r.done.Revisions += n
	}
	return nil
}

func (r *redaction) valueIn(doc *jsonpatch.Document) string {
	if doc == nil {
		return ""
	}
	value, err := doc.Get(r.ptr)
	if err != nil {
		return ""
	}
	if text := jsonpatch.Compact(value); string(text) != redactedText {
		return string(text)
	}
	return ""
}

// rewrite makes a record that leads from one redacted version to the next.
func (r *redaction) rewrite(rec *wal.Record) (*wal.Record, error) {
	switch rec.Kind {
	case wal.KindNote:
		return rec, nil
	case wal.KindAbort:
		r.doc, r.red = r.docBefore, r.redBefore
		rec.Before, rec.After = versionOf(r.red), versionOf(r.red)
		return rec, nil
	}
	next, err := recovery.Next(r.doc, rec, r.s.opt.Limits)
	if err != nil {
		return nil, err
	}
	clean, err := r.clean(next)
	if err != nil {
		return nil, err
	}
	out, err := r.record(rec, next, clean)
	r.docBefore, r.redBefore, r.doc, r.red = r.doc, r.red, next, clean
	return out, err
}

// clean is a version without the values.
func (r *redaction) clean(doc *jsonpatch.Document) (*jsonpatch.Document, error) {
	if value := r.valueIn(doc); value == "" || r.secrets[value] == 0 {
		return doc, nil
	}
	clean, _, err := doc.Apply(jsonpatch.Patch{{Op: "replace", Path: r.ptr, Value: []byte(redactedText)}}, r.s.opt.Limits)
	return clean, err
}

func (r *redaction) record(rec *wal.Record, next, clean *jsonpatch.Document) (*wal.Record, error) {
	out := *rec
	out.Txns = append([]wal.Txn(nil), rec.Txns...)
	r.cleanMessages(out.Txns)
	if clean != nil && r.contains(clean.Bytes()) {
		r.done.Elsewhere = append(r.done.Elsewhere, rec.Rev)
	}
	if rec.Flags&wal.FlagMended == 0 {
		out.Before = versionOf(r.red)
	}
	out.After = versionOf(clean)
	untouched := r.doc == r.red && next == clean
	for _, t := range rec.Txns {
		untouched = untouched && !r.contains(t.Patch) && !r.gives(t.Patch)
	}
	if untouched || clean == nil {
		return &out, nil
	}
	return &out, r.derive(&out, clean)
}

// derive replaces a record's patches, which may hold the values, by what leads
// from the one clean version to the other.
func (r *redaction) derive(out *wal.Record, clean *jsonpatch.Document) error {
	var patch jsonpatch.Patch
	exact := false
	if r.red != nil {
		var err error
		if patch, exact, err = recovery.Describe(r.red, clean, r.s.opt.Limits); err != nil {
			return err
		}
	}
	for i := range out.Txns {
		out.Txns[i].Patch = jsonpatch.Patch(nil).Encode()
	}
	if n := len(out.Txns); n > 0 {
		out.Txns[n-1].Patch = patch.Encode()
	}
	if out.Kind == wal.KindPatch && !exact {
		out.Kind = wal.KindImage
	}
	if out.HasImage() {
		out.Image = clean.Bytes()
	}
	return nil
}

func (r *redaction) cleanMessages(txns []wal.Txn) {
	for i := range txns {
		if r.stands(txns[i].Message) {
			txns[i].Message = "[redacted]"
			r.done.Messages++
		}
	}
}

// minTelling is the length, in bytes, from which a value is looked for in other
// places: a shorter one stands everywhere by chance.
const minTelling = 6

// contains tells whether a text has one of the values in it.
func (r *redaction) contains(text []byte) bool {
	for secret := range r.secrets {
		if len(secret) >= minTelling && bytes.Contains(text, []byte(secret)) {
			return true
		}
	}
	return false
}

// stands tells whether one of the values stands in a text for people.
func (r *redaction) stands(text string) bool {
	for secret := range r.secrets {
		if bare := strings.Trim(secret, `"`); len(bare) >= minTelling && strings.Contains(text, bare) {
			return true
		}
	}
	return false
}

// gives tells whether a patch gives the pointer, or what contains it, a value.
func (r *redaction) gives(text []byte) bool {
	patch, err := decodePatch(text, r.s.opt.Limits)
	if err != nil {
		return true
	}
	for _, op := range patch {
		if r.ptr.HasPrefix(op.Path) && op.Op != "remove" {
			return true
		}
	}
	return false
}

// cleanAside deletes the copies of damaged content in which one of the values is.
func (r *redaction) cleanAside() error {
	dir := filepath.Join(r.t.dir, "damaged")
	entries, err := r.s.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		text, err := fsys.ReadFile(r.s.fs, name)
		if err != nil {
			return err
		}
		for secret := range r.secrets {
			if bytes.Contains(text, bytes.Trim([]byte(secret), `"`)) {
				if err := ignoreNotExist(r.s.fs.Remove(name)); err != nil {
					return err
				}
				r.done.Removed = append(r.done.Removed, name)
				break
			}
		}
	}
	return fsys.SyncDir(r.s.fs, dir)
}

func versionOf(doc *jsonpatch.Document) wal.Version {
	if doc == nil {
		return wal.Version{}
	}
	return wal.VersionOf(doc.Bytes())
}
