package recovery

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// An edit that lags.
//
// An edit made outside while the file lags must not take a commit back, nor half of a unit, and
// must not be lost. Let B be the newest version that was certainly in place: within the boot
// the one that state calls applied; after another boot the newest whose name was durable: up to
// which record that is so, state and each record say (named). An adoption was in place before it was recorded, and so was all that
// a compaction has dropped. If the displaced name has what stood before V, V has stood there,
// and B is V. An edit whose difference from V meets no change made since B is adopted as it
// stands. Else it is compared with the versions from V back to B: the first from which its
// difference meets none of those changes is what it was made from, and the changes since are
// applied onto its own text, by splicing, so that layout and comments stay. The result is
// durable as a record before it is placed. Else, as where B isn't known or V removed the file,
// they clash: one record makes two revisions, the edit as found and V again. What looks left
// alone may have been put back on purpose. So unless it is certain that V has not stood there
// (what is staged for it lies beside the file) an edit that was carried over is a revision of
// its own, too, in the same kind of record.

// merge is what becomes of an edit that another program made while the file lagged
// behind its journal.
type merge struct {
	rec   *wal.Record         // is appended; nil where the edit has nothing that the newest version lacks
	doc   *jsonpatch.Document // what stands then, nil: no file
	clash string              // see Done
	moved string              // see Done
}

// lag is how far the file may be behind its journal.
type lag struct {
	base    *jsonpatch.Document   // the oldest version that may have been edited; nil: none is known
	between []*jsonpatch.Document // the newest of the versions after base, oldest first
	newest  *jsonpatch.Document   // nil: no file
	changes jsonpatch.Patch       // all that the versions after base did, in order
	certain bool                  // that none after base can have been edited
}

// rebase works out what becomes of an edit that was made while the file lagged. One
// that has every committed change, since it was made on the newest version or on one
// as good, stands as it is. Onto any other the committed changes are applied, so that
// its layout and comments stay. Whichever version it is compared with, it must leave
// alone each place where any version since the oldest that may have been edited changed
// something: so nothing of that is taken back. But what looks left alone may have been
// put back on purpose, so that an edit is also a version as it was found, unless it is
// certain what it was made from.
func (f *File) rebase(newest *wal.Record) (merge, error) {
	l, err := f.lag(newest)
	if err != nil {
		return merge{}, err
	}
	if l.newest == nil {
		why, moved := "a committed change removed the file", f.movedTo(newest)
		if moved != "" {
			why = "a committed change moved the file"
		}
		m, err := f.clash(newest, l, why)
		m.moved = moved
		return m, err
	}
	edit, err := jsonpatch.Diff(l.newest, f.Found.Doc)
	if err != nil {
		return merge{}, err
	}
	if _, clash := jsonpatch.Clash(l.newest, edit, l.changes); !clash {
		return f.upToDate(newest)
	}
	if l.base == nil {
		return f.clash(newest, l, "no version is known that it was made from")
	}
	var m merge
	for _, from := range slices.Backward(append([]*jsonpatch.Document{l.base}, l.between...)) {
		if m, err = f.carryOver(newest, l, from); err != nil || m.clash == "" {
			break
		}
	}
	return m, err // of the oldest one, where all of them clash
}

// upToDate adopts an edit that has every committed change.
func (f *File) upToDate(newest *wal.Record) (merge, error) {
	rec, err := f.Adoption(newest)
	return merge{rec: rec, doc: f.Found.Doc}, err
}

// carryOver applies what was committed after a version onto the text that was found.
func (f *File) carryOver(newest *wal.Record, l lag, from *jsonpatch.Document) (merge, error) {
	edit, err := jsonpatch.Diff(from, f.Found.Doc)
	if err != nil {
		return merge{}, err
	}
	edit = l.withoutCommitted(from, edit)
	if at, clash := jsonpatch.Clash(from, edit, l.changes); clash {
		return f.clash(newest, l, fmt.Sprintf("%q was changed by a committed change too", at))
	}
	committed, err := jsonpatch.Diff(from, l.newest)
	if err != nil {
		return merge{}, err
	}
	next, err := replayed(f.Found.Doc, committed, f.Limits)
	var want *jsonpatch.Document
	if err == nil {
		want, err = replayed(l.newest, edit, f.Limits)
	}
	switch {
	case err != nil:
		return f.clash(newest, l, err.Error()) // it is over a limit
	case !jsonpatch.Equal(next.Bytes(), want.Bytes()):
		return f.clash(newest, l, "the committed changes mean something else in it")
	case bytes.Equal(next.Bytes(), f.Found.Data):
		return f.upToDate(newest)
	case l.certain:
		rec, err := f.rebased(newest, l.newest, next)
		return merge{rec: rec, doc: next}, err
	}
	rec, err := f.clashRecord(newest, f.Found, next.Bytes())
	return merge{rec: rec, doc: next}, err
}

// withoutCommitted leaves out of an edit of a version what a committed change has done
// just so: a member that has the same value in both, or is in neither.
func (l *lag) withoutCommitted(from *jsonpatch.Document, edit jsonpatch.Patch) jsonpatch.Patch {
	var rest jsonpatch.Patch
	for _, op := range edit {
		value, err := l.newest.Get(op.Path)
		same := op.Op == "remove" && err != nil || op.Op != "remove" && err == nil && jsonpatch.Equal(value, op.Value)
		if !same || !inObjects(from, op.Path) || !inObjects(l.newest, op.Path) {
			rest = append(rest, op)
		}
	}
	return rest
}

// inObjects tells that a place is led to by names alone: the same place is then the
// same thing in every version.
func inObjects(doc *jsonpatch.Document, p jsonpatch.Pointer) bool {
	for n := range p {
		value, err := doc.Get(p[:n])
		if err != nil || !bytes.HasPrefix(value, []byte("{")) {
			return false
		}
	}
	return true
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

// rebased is the record of an edit onto which what was committed was applied. What
// was found stands until the record is carried out: Before tells it from a further
// edit.
func (f *File) rebased(newest *wal.Record, from, next *jsonpatch.Document) (*wal.Record, error) {
	rec, t := f.foreignTxn(newest)
	rec.Flags, rec.Before, rec.After = wal.FlagForeign|wal.FlagFound, f.Found.Version, wal.VersionOf(next.Bytes())
	err := describe(rec, &t, from, next, f.Limits)
	rec.Txns = []wal.Txn{t}
	return rec, err
}

// clash keeps both an edit and what was committed.
func (f *File) clash(newest *wal.Record, l lag, why string) (merge, error) {
	rec, err := f.clashRecord(newest, f.Found, trustedBytes(l.newest))
	return merge{rec: rec, doc: l.newest, clash: why}, err
}

// movedTo is the name to which a version without a file was moved, absolute: "" where
// it was removed, or went to another workspace.
func (f *File) movedTo(rec *wal.Record) string {
	root, ok := strings.CutSuffix(f.Target, string(filepath.Separator)+filepath.FromSlash(f.Key.Path))
	for _, t := range rec.Txns {
		for _, o := range t.Origins {
			if ok && o.Kind == wal.OriginLeft && filepath.IsLocal(filepath.FromSlash(o.Path)) {
				return filepath.Join(root, filepath.FromSlash(o.Path))
			}
		}
	}
	return ""
}

// maxBetween bounds how many versions are kept to compare an edit with.
const maxBetween = 32

// whole stands for a change of everything.
var whole = jsonpatch.Patch{{Op: "replace"}}

// lag replays what the file may be behind by.
func (f *File) lag(newest *wal.Record) (lag, error) {
	recs, base, err := f.unplaced(newest)
	if err != nil {
		return lag{}, err
	}
	staged, placed := f.beside(newest)
	if placed {
		recs, base = nil, newest
	}
	if base == nil {
		data, err := Render(f.Journal.Read, newest.LSN, f.Limits)
		return lag{newest: trusted(data), changes: whole}, err
	}
	data, err := Render(f.Journal.Read, base.LSN, f.Limits)
	if err != nil {
		return lag{}, err
	}
	l := lag{base: trusted(data), certain: staged}
	l.newest = l.base
	for i := len(recs) - 1; i >= 0; i-- {
		if err := l.add(recs[i], f.Limits); err != nil {
			return lag{}, err
		}
	}
	return l, nil
}

// beside tells what lies beside the file, left by a process of this boot: what the
// newest version is to be, staged, so that it has not stood under the name; or what
// stood there before it was exchanged with that.
func (f *File) beside(newest *wal.Record) (staged, placed bool) {
	before := stoodBefore(newest)
	if !f.Journal.Known() || before == newest.After {
		return false, false
	}
	for _, name := range append(f.spareNames(), Temp(f.Target), Displaced(f.Target)) {
		is, err := f.holdsVersion(name, newest.After)
		staged = staged || err == nil && is
	}
	is, err := f.holdsVersion(Displaced(f.Target), before)
	return staged, err == nil && is
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
	if l.newest != nil && l.newest != l.base {
		l.between = append(l.between, l.newest)
		l.between = l.between[max(0, len(l.between)-maxBetween):]
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
		dropped, err := droppedBefore(f.Journal, rec.LSN)
		if err != nil || dropped {
			return recs, rec, err
		}
		recs = append(recs, rec)
		if rec, err = newestAt(f.Journal.Read, rec.LSN-1); err != nil {
			return nil, nil, err
		}
	}
	return recs, nil, nil
}

// droppedBefore tells that compaction has dropped the version before the one at lsn. It
// does so only when all names are durable.
func droppedBefore(j Journal, lsn wal.LSN) (bool, error) {
	for lsn--; lsn > 0; lsn-- {
		rec, err := j.Read(lsn)
		switch {
		case errors.Is(err, wal.ErrNotFound):
			return true, nil
		case err != nil:
			return false, err
		case rec.Kind == wal.KindBegin:
			return true, nil
		case rec.MakesVersion(), rec.Kind == wal.KindAbort:
			return false, nil
		}
	}
	return false, nil
}

// reached tells that the version of rec, or a newer one, stands under the name or
// has been edited: that none before it can. applied tells that `state` names rec, which
// is believed within the boot; after another one, up to where the name was durable.
func (f *File) reached(rec *wal.Record, applied bool) bool {
	if f.Journal.Known() {
		return applied || stoodThere(rec)
	}
	return Named(f.Journal.State(), rec)
}

// rebase records what becomes of the edit, durably, and returns the newest record
// then. What was found stands under the name until that is carried out.
func (fp *FilePlan) rebase(done *Done) (*wal.Record, error) {
	f := fp.File
	m, err := fp.merged()
	if err != nil || m.rec == nil {
		return fp.Newest, err
	}
	if err := f.recordFound(m.rec); err != nil {
		return nil, err
	}
	done.Record, done.Rev, done.Clash = m.rec, m.rec.Rev, m.clash
	done.MovedTo = m.moved
	fsys.Step("recovery.rebased")
	return m.rec, f.tellClash(m.rec)
}
