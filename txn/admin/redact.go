package admin

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/oplog"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Redacted says what a redaction took out.
type Redacted struct {
	Values    int      // different values that stood at the pointer
	Revisions int      // versions in which one of them stood
	Messages  int      // messages in which one was
	Removed   []string // set-aside copies with one of them, which are deleted
	LogLines  int      // lines of the log of operations in which one was
	// Elsewhere are revisions in which one of the values still stands, at another
	// pointer.
	Elsewhere []uint64
	// AlsoIn are other files, such as those that it was moved from or copied to, whose
	// histories hold one of the values too.
	AlsoIn []string
	// Places are files of jtx itself, as scripts that were kept, that hold one.
	Places []string
	// Unreached are files that may hold one, and can't be looked at.
	Unreached []string
}

// redactedText takes the place of a value that was taken out.
const redactedText = `"[redacted]"`

// Redact takes every value that a file ever held at a pointer, but for the one that
// it holds now, out of its whole history: each version, each record, the copies of
// damaged content that were set aside, and the log of operations. Messages in which
// one stands are taken out of the histories of all files that they are in. Revisions,
// times and ids stay, and the chain is made anew, so that it can be checked as
// before. Journals of the file that were set aside are deleted whole. It fails with
// ErrConflict while an open transaction has the file, whose copy may hold a value
// (one of another user, that is kept in a workspace which is not around the file, is not
// seen), and with ErrNotFound where there is nothing to take out. Other places in the
// workspaces around the file are named. The bytes may remain in
// free blocks of the disk, in backups, and in files that the value was copied to.
//
// The file's own journal is replaced last: cut off before that, Redact can be run
// again and does the rest.
func Redact(ctx context.Context, store *txn.Store, file, pointer string, opts ...txn.Option) (Redacted, error) {
	s := of(store)
	ptr, err := jsonpatch.ParsePointer(pointer)
	if err != nil {
		return Redacted{}, fault.In(file, err)
	}
	if len(ptr) == 0 {
		return Redacted{}, &txn.Error{Kind: txn.ErrInvalid, File: file, Err: fmt.Errorf("the whole document can't be taken out of its history")}
	}
	actor, dryRun := txn.Told(s.store, opts)
	if _, err := s.HeadOf(ctx, file); err != nil {
		return Redacted{}, err
	}
	r := &redaction{s: s, ptr: ptr}
	if dryRun {
		err := r.try(ctx, s.Abs(file))
		if err == nil {
			err = r.lookAround(ctx)
		}
		return r.done, fault.In(file, err)
	}
	began := time.Now()
	err = r.lock(ctx, s.Abs(file))
	s.Log.Add([]string{s.Abs(file)}, nil, oplog.Done{Actor: actor, Began: began, Err: err})
	if err == nil {
		err = r.lookAround(ctx)
	}
	return r.done, fault.In(file, err)
}

// lock redacts with the locks of the file, and of those that share a message with
// it. Which these are is known only when it is locked.
func (r *redaction) lock(ctx context.Context, file string) error {
	names := []string{file}
	for {
		more := false
		err := r.s.Locked(ctx, names, doors.Locking{Sweep: true}, func(ses *doors.Files) error {
			r.h = versions.HeadOf(ses.ByName(file))
			if err := r.survey(ctx); err != nil {
				return err
			}
			more = false
			others, err := r.sharers(ses.FileSet)
			for _, t := range others {
				if ses.Find(t.Real) == nil {
					names, more = append(names, t.Real), true
				}
			}
			if err != nil || more {
				return err
			}
			return r.run(ses, others)
		})
		if err != nil || !more {
			return err
		}
	}
}

// try says what would be redacted.
func (r *redaction) try(ctx context.Context, file string) (err error) {
	if r.h, err = r.s.TryHead(ctx, file); err != nil {
		return err
	}
	if err := r.survey(ctx); err != nil {
		return err
	}
	first, err := r.s.OldestKept(r.h)
	if err != nil {
		return err
	}
	for rec, err := range r.s.Records(r.h.Target, first.LSN) {
		if err == nil && rec.LSN > r.h.Last {
			break
		}
		if err == nil {
			_, err = r.rewrite(rec)
		}
		if err != nil {
			return err
		}
	}
	if _, err := r.sharers(&workspace.FileSet{Site: r.s.Site, Ctx: ctx, How: workspace.Lookup{Look: true}, Targets: []*workspace.Target{r.h.Target}}); err != nil {
		return err
	}
	return r.cleanTraces(false)
}

// notOpen makes sure that no open transaction keeps a copy of the file.
func (s house) notOpen(ctx context.Context, t *workspace.Target) error {
	open, err := s.store.OpenTxs(ctx, []string{filepath.Dir(t.Real)})
	if err != nil {
		return err
	}
	linked, err := txn.Linked(s.store)
	if err != nil {
		return err
	}
	open = append(open, linked...)
	for _, tx := range open {
		if tx.Err != nil {
			return tx.Err // what it has a copy of is not known
		}
		for _, f := range tx.Files {
			if real, err := workspace.RealPath(s.FS, f.File); err != nil || real == t.Real {
				return &txn.Error{Kind: txn.ErrConflict, File: t.Name, Err: fmt.Errorf("open transaction %s has a copy of it: commit or abort that first", tx.ID)}
			}
		}
	}
	return nil
}

// redaction is one on its way through a journal.
type redaction struct {
	s       house
	h       versions.Head // of the file
	ptr     jsonpatch.Pointer
	secrets map[string]int // compact, and in how many versions each stands
	marks   marks          // by which they are known elsewhere
	done    Redacted

	// doc is the version that was reached and red what it becomes; the others
	// are those before, for where an abort takes one back.
	doc, red, docBefore, redBefore *jsonpatch.Document
}

// survey finds what is to be taken out.
func (r *redaction) survey(ctx context.Context) error {
	r.secrets, r.done = map[string]int{}, Redacted{}
	if err := r.s.notOpen(ctx, r.h.Target); err != nil {
		return err
	}
	if err := r.collect(); err != nil {
		return err
	}
	r.marks = marksOf(r.secrets)
	if r.done.Values = len(r.secrets); r.done.Values == 0 {
		return &txn.Error{Kind: txn.ErrNotFound, File: r.h.Target.Name, Pointer: r.ptr.String(), Err: fmt.Errorf("no old value of %q is in the history; a current one must be replaced or deleted first", r.ptr)}
	}
	return nil
}

func (r *redaction) run(ses *doors.Files, others []*workspace.Target) error {
	if err := r.cleanTraces(true); err != nil {
		return err
	}
	for _, t := range others {
		if err := r.rebuild(ses.Ctx, ses.Find(t.Real), r.withoutMessages); err != nil {
			return err
		}
	}
	return r.rebuild(ses.Ctx, r.h.Target, r.rewrite)
}

func (r *redaction) rebuild(ctx context.Context, t *workspace.Target, rewrite func(*wal.Record) (*wal.Record, error)) error {
	first, err := r.s.OldestKept(versions.HeadOf(t))
	if err != nil {
		return err
	}
	return fault.In(t.Name, t.File.Log.Rebuild(first.LSN, r.s.MayAsk(ctx, t), rewrite))
}

// collect finds the values: all that ever stood there, but the current one.
func (r *redaction) collect() error {
	var doc, before *jsonpatch.Document
	for rec, err := range r.s.Records(r.h.Target, 1) {
		if err != nil {
			return err
		}
		if rec.LSN > r.h.Last {
			break
		}
		switch {
		case rec.Kind == wal.KindAbort:
			doc = before
			continue
		case !rec.MakesVersion():
			continue
		}
		before = doc
		for _, one := range recovery.Revisions(rec) {
			if doc, err = recovery.Next(doc, one, r.s.Limits); err != nil {
				return err
			}
			if value := r.valueIn(doc); value != "" && versions.IsVersion(one) {
				r.secrets[value]++
			}
		}
	}
	if current := r.valueIn(r.h.Target.File.Found.Doc); current != "" {
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
	switch {
	case rec.Kind == wal.KindAbort:
		r.doc, r.red = r.docBefore, r.redBefore
		rec.Before, rec.After = versionOf(r.red), versionOf(r.red)
		return rec, nil
	case !rec.MakesVersion():
		return rec, nil
	}
	next, err := recovery.Next(r.doc, rec, r.s.Limits)
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
	clean, _, err := doc.Apply(jsonpatch.Patch{{Op: "replace", Path: r.ptr, Value: []byte(redactedText)}}, r.s.Limits)
	return clean, err
}

func (r *redaction) record(rec *wal.Record, next, clean *jsonpatch.Document) (*wal.Record, error) {
	out := r.cleanMessages(rec)
	if clean != nil && r.marks.in(clean.Bytes()) {
		r.done.Elsewhere = append(r.done.Elsewhere, rec.Rev)
	}
	if rec.Flags&wal.FlagFound == 0 {
		out.Before = versionOf(r.red)
	}
	out.After = versionOf(clean)
	untouched := r.doc == r.red && next == clean
	for _, t := range rec.Txns {
		untouched = untouched && !r.marks.in(t.Patch) && !r.gives(t.Patch)
		for _, s := range t.Splices {
			untouched = untouched && !r.marks.in(s.Bytes)
		}
	}
	if rec.Kind == wal.KindClash {
		return out, r.clash(out, clean)
	}
	if untouched {
		return out, nil
	}
	return out, r.derive(out, clean)
}

// clash takes the values out of both revisions of a clash. The record may be
// untouched by that.
func (r *redaction) clash(out *wal.Record, clean *jsonpatch.Document) error {
	found, err := jsonpatch.Parse(out.Image, r.s.Limits)
	if err != nil {
		return err
	}
	if found, err = r.clean(found); err != nil {
		return err
	}
	if r.marks.in(found.Bytes()) {
		r.done.Elsewhere = append(r.done.Elsewhere, out.Rev-1)
	}
	return recovery.FillClash(out, r.red, found, clean, r.s.Limits)
}

// derive replaces a record's patches, which may hold the values, by what leads
// from the one clean version to the other.
func (r *redaction) derive(out *wal.Record, clean *jsonpatch.Document) error {
	change := recovery.Change{Image: clean != nil}
	switch {
	case clean == nil:
		change.Patch = jsonpatch.Patch{{Op: "remove"}}
	case r.red != nil:
		var err error
		if change, err = recovery.Describe(r.red, clean, r.s.Limits); err != nil {
			return err
		}
	}
	for i := range out.Txns {
		out.Txns[i].Patch, out.Txns[i].Splices = jsonpatch.Patch(nil).Encode(), nil
	}
	if out.Kind == wal.KindPatch && change.Image {
		out.Kind = wal.KindImage
	}
	if n := len(out.Txns); n > 0 {
		out.Txns[n-1].Patch = change.Patch.Encode()
		if !out.HasImage() {
			out.Txns[n-1].Splices = change.Splices
		}
	}
	if out.HasImage() {
		out.Image = clean.Bytes()
	}
	return nil
}

// gives tells whether a patch gives the pointer, or what contains it, a value.
func (r *redaction) gives(text []byte) bool {
	patch, err := versions.DecodePatch(text, r.s.Limits)
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

func versionOf(doc *jsonpatch.Document) wal.Version {
	if doc == nil {
		return wal.Version{}
	}
	return wal.VersionOf(doc.Bytes())
}
