package recovery

import (
	"bytes"
	"fmt"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// merge is what becomes of an edit that another program made while the file was
// behind its journal.
type merge struct {
	rec   *wal.Record // the edit's record; nil where it changes no value, and on a clash
	doc   *jsonpatch.Document
	keep  bool   // what was found is not whole in any version: it is set aside
	clash string // see Done
}

// adopted tells that the edit stands as it is.
func (m *merge) adopted() bool { return m.rec != nil && m.rec.Flags&wal.FlagFound == 0 }

// lag is how far the file may be behind its journal.
type lag struct {
	base    *jsonpatch.Document // the oldest version that may have been edited; nil: none is known
	newest  *jsonpatch.Document // nil: no file
	changes jsonpatch.Patch     // all that the versions after base did, in order
}

// rebase carries an edit that another program made while the file lagged over to
// the newest version. An edit that has every committed change, since it was made on
// the newest version or on one as good, stands as it is. Else it is compared with
// the oldest version that may have been edited. Taking too old a one can only find
// a clash where there is none: that the edit leaves alone each place where the
// versions since then changed something means that none of that is taken back.
func (f *File) rebase(newest *wal.Record) (merge, error) {
	l, err := f.lag(newest)
	if err != nil {
		return merge{}, err
	}
	if l.newest == nil {
		return merge{keep: true, clash: "a committed change removed the file"}, nil
	}
	patch, err := jsonpatch.Diff(l.newest, f.Found.Doc)
	if err != nil {
		return merge{}, err
	}
	if _, clash := jsonpatch.Clash(l.newest, patch, l.changes); !clash {
		return f.upToDate(newest)
	}
	if l.base == nil {
		return merge{doc: l.newest, keep: true, clash: "no version is known that it was made from"}, nil
	}
	return f.carryOver(newest, l)
}

// upToDate adopts an edit that has every committed change. AppendAdoption makes its
// name durable, so that after a power cut no older version can stand again.
func (f *File) upToDate(newest *wal.Record) (merge, error) {
	rec, err := f.Adoption(newest)
	if err != nil {
		return merge{}, err
	}
	rec.Flags = wal.FlagForeign
	return merge{rec: rec, doc: f.Found.Doc}, nil
}

// carryOver applies to the newest version what the edit changed in the base.
func (f *File) carryOver(newest *wal.Record, l lag) (merge, error) {
	patch, err := jsonpatch.Diff(l.base, f.Found.Doc)
	if err != nil {
		return merge{}, err
	}
	m := merge{doc: l.newest, keep: true}
	if at, clash := jsonpatch.Clash(l.base, patch, l.changes); clash {
		m.clash = fmt.Sprintf("%q was changed by a committed change too", at)
		return m, nil
	}
	next, err := replayed(l.newest, patch, f.Limits)
	if err != nil {
		m.clash = err.Error() // it is over a limit
		return m, nil
	}
	if len(patch) == 0 {
		return m, nil // comments and layout, which no patch carries
	}
	m.doc, m.rec = next, f.rebased(newest, patch, next)
	same, err := replayed(l.base, patch, f.Limits)
	exact := err == nil && bytes.Equal(same.Bytes(), f.Found.Data)
	m.keep = !exact || !f.Journal.Known()
	return m, nil
}

// replayed applies a patch as a journal's reader will.
func replayed(doc *jsonpatch.Document, patch jsonpatch.Patch, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	patch, err := jsonpatch.DecodePatch(patch.Encode(), lim)
	if err != nil {
		return nil, err
	}
	next, _, err := doc.Apply(patch, lim)
	return next, err
}

// rebased is the record of an edit that was carried over. What was found stands
// until the record is carried out: Before tells it from a further edit. Until then
// the file is behind still.
func (f *File) rebased(newest *wal.Record, patch jsonpatch.Patch, next *jsonpatch.Document) *wal.Record {
	rec, t := f.foreignTxn(newest)
	t.Patch = patch.Encode()
	rec.Kind, rec.Flags = wal.KindPatch, foreign|wal.FlagFound|wal.FlagBehind
	rec.Before, rec.After = f.Found.Version, wal.VersionOf(next.Bytes())
	rec.Txns = []wal.Txn{t}
	return rec
}

// whole stands for a change of everything.
var whole = jsonpatch.Patch{{Op: "replace"}}

// lag replays what the file may be behind by.
func (f *File) lag(newest *wal.Record) (lag, error) {
	recs, base, err := f.unplaced(newest)
	if err != nil {
		return lag{}, err
	}
	if base == nil {
		data, err := Render(f.Journal.Read, newest.LSN, f.Limits)
		return lag{newest: trusted(data), changes: whole}, err
	}
	data, err := Render(f.Journal.Read, base.LSN, f.Limits)
	if err != nil {
		return lag{}, err
	}
	l := lag{base: trusted(data)}
	l.newest = l.base
	for i := len(recs) - 1; i >= 0; i-- {
		if err := l.add(recs[i], f.Limits); err != nil {
			return lag{}, err
		}
	}
	return l, nil
}

// add goes on by one version. An image may lack its patches, which are then over a
// limit or were never known, so that what it changed is looked for.
func (l *lag) add(rec *wal.Record, lim jsonpatch.Limits) error {
	next, err := Next(l.newest, rec, lim)
	if err != nil {
		return err
	}
	patch := whole
	switch {
	case l.newest == nil || next == nil:
	case rec.Kind == wal.KindPatch:
		patch, err = Patch(rec, lim)
	default:
		patch, err = jsonpatch.Diff(l.newest, next)
	}
	l.newest, l.changes = next, append(l.changes, patch...)
	return err
}

// unplaced lists the records, newest first, of the versions that may never have
// stood under the name, or not durably; and the record of the version below them,
// which is nil where it is not known.
func (f *File) unplaced(newest *wal.Record) (recs []*wal.Record, base *wal.Record, err error) {
	applied := f.Journal.State().Applied
	above := true // every record so far is above the applied one
	for rec := newest; rec != nil; {
		if f.reached(rec, above && rec.LSN <= applied) {
			return recs, rec, nil
		}
		above = above && rec.LSN > applied
		recs = append(recs, rec)
		if rec, err = newestAt(f.Journal.Read, rec.LSN-1); err != nil {
			return nil, nil, err
		}
	}
	return recs, nil, nil
}

// reached tells that the version of rec, or a newer one, stands under the name or
// has been edited: that none before it can. applied tells that `state` names rec.
// Another boot's `state` is believed of what it was settled with durably, and of its
// content only: records that were never durable may have had the same numbers.
func (f *File) reached(rec *wal.Record, applied bool) bool {
	switch {
	case rec.LSN == 1 && rec.Flags&wal.FlagForeign != 0:
		return true // what was there before jtx
	case f.Journal.Known():
		return applied
	case durablyNamed(rec):
		return true
	default:
		return applied && rec.Flags&wal.FlagBehind != 0 && rec.After == f.Journal.State().Content
	}
}

// rebase carries out the Rebase action.
func (fp *FilePlan) rebase(done *Done) error {
	f := fp.File
	m, err := f.rebase(fp.Newest)
	if err != nil {
		return err
	}
	if m.rec != nil {
		done.Record, done.Rev = m.rec, m.rec.Rev
	}
	if m.adopted() {
		return f.AppendAdoption(m.rec)
	}
	if err := f.SyncFound(); err != nil {
		return err
	}
	if m.keep {
		if done.Aside, err = f.setAside(); err != nil {
			return err
		}
		fsys.Step("recovery.rebase-kept")
	}
	done.Clash = m.clash
	if m.rec == nil {
		return f.Redo(fp.Newest)
	}
	if err := f.Log.Append(m.rec); err != nil {
		return err
	}
	if err := f.Log.Sync(); err != nil {
		return err
	}
	fsys.Step("recovery.rebased")
	return f.Redo(m.rec)
}
