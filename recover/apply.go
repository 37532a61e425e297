package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// Done reports one thing that recovery did, or found and left.
type Done struct {
	Key    Key
	Target string
	Case   string
	Action Action
	Unit   wal.ID      // of a unit case, zero else
	Rev    uint64      // the revision that stands now
	Aside  string      // where bytes were set aside
	Record *wal.Record // the record of an edit that was adopted, or rebased
	// Clash says why an edit that was made while the file lagged could not be kept
	// together with what was committed, and where the two met: Rev is the committed
	// version again. It is "" where there was no clash.
	Clash string
	// MovedTo is where a committed change has moved the file beside which an edit was
	// found, absolute; "" where it did not, or to another workspace.
	MovedTo string
	Cut     wal.CutReport
	Err     error // damage, or what kept the action from being done
}

// EditRev is the revision that an edit is as it was found, where that is not the one
// that stands; else 0.
func (d *Done) EditRev() uint64 {
	if d.Record == nil || d.Record.Kind != wal.KindClash {
		return 0
	}
	return d.Rev - 1
}

// ErrDamaged is returned where a tracked file holds bytes that are no document.
var ErrDamaged = errors.New("damaged")

// DamagedError says where the damaged bytes were kept, and which version is the
// last good one.
type DamagedError struct {
	File  string
	Aside string
	Rev   uint64 // the last good revision
	Err   error  // why the bytes are no document
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s was damaged outside jtx (%v); revision %d is the last good one", e.File, e.Err, e.Rev)
}

func (e *DamagedError) Unwrap() []error { return []error{ErrDamaged, e.Err} }

// Apply carries out a plan: first the units, each decision made durable in every
// journal, then the files. It goes on after an error in one file; each file's
// outcome is in the report.
func Apply(p *Plan) []Done {
	var report []Done
	failed := map[*File]error{}
	for _, u := range p.Units {
		done := Done{Key: u.Holders[0].Key, Target: u.Holders[0].Target, Case: u.Case.Name, Unit: u.Unit}
		done.Err = u.apply()
		for _, f := range u.Holders {
			failed[f] = done.Err
		}
		report = append(report, done)
	}
	for _, fp := range p.Files {
		if failed[fp.File] != nil {
			continue
		}
		report = append(report, fp.apply())
	}
	return report
}

// Report is what Apply would report, without doing it.
func (p *Plan) Report() []Done {
	var report []Done
	for _, u := range p.Units {
		f := u.Holders[0]
		report = append(report, Done{Key: f.Key, Target: f.Target, Case: u.Case.Name, Unit: u.Unit})
	}
	for _, fp := range p.Files {
		done := Done{Key: fp.File.Key, Target: fp.File.Target, Case: fp.Case.Name, Action: fp.Case.Action}
		if fp.Newest != nil {
			done.Rev = fp.Newest.Rev
		}
		report = append(report, done)
	}
	return report
}

// apply makes the outcome of a unit durable.
func (u *UnitPlan) apply() error {
	if err := u.Doubt(); err != nil {
		return err
	}
	for _, f := range u.Holders {
		if err := f.Log.Secure(); err != nil {
			return err
		}
	}
	if u.Case.Outcome == Committed {
		fsys.Step("recovery.unit-secured")
		return u.tellDecided()
	}
	for _, f := range u.Holders {
		if err := Abort(f.Log, u.Unit); err != nil {
			return err
		}
		fsys.Step("recovery.unit-aborted")
	}
	return nil
}

// Doubt is an *InDoubtError where the unit can't be decided, and a *ContraryError where
// persons have decided it, one this way and one that.
func (u *UnitPlan) Doubt() error {
	switch {
	case u.Case.Outcome != InDoubt:
		return nil
	case u.contrary != nil:
		return u.contrary
	}
	for _, part := range u.Record.Participants {
		if err := u.Doubts[keyOf(part)]; err != nil {
			where := filepath.Join(part.Root, filepath.FromSlash(part.Path))
			return &InDoubtError{File: u.Holders[0].Target, Unit: u.Unit, Path: where, Err: err}
		}
	}
	return ErrInDoubt
}

// Abort durably takes back the record of unit at the end of a journal.
func Abort(log *wal.Log, unit wal.ID) error {
	last, err := log.Read(log.State().Last)
	if err != nil {
		return err
	}
	rec := &wal.Record{Kind: wal.KindAbort, Unit: unit, Before: last.Before, After: last.Before, Rev: last.Rev - 1}
	if err := log.Append(rec); err != nil {
		return err
	}
	return log.Sync()
}

// Carry settles one file whose newest record is known to be committed.
func Carry(f *File, newest *wal.Record) Done {
	c, err := f.decide(newest)
	if err != nil {
		return Done{Key: f.Key, Target: f.Target, Err: err}
	}
	return (&FilePlan{File: f, Case: c, Newest: newest}).apply()
}

func (fp *FilePlan) apply() Done {
	f := fp.File
	done := Done{Key: f.Key, Target: f.Target, Case: fp.Case.Name, Action: fp.Case.Action, Cut: f.Log.Cut()}
	if fp.Newest != nil {
		done.Rev = fp.Newest.Rev
	}
	done.Err = fp.carryOut(&done)
	return done
}

func (fp *FilePlan) carryOut(done *Done) error {
	f, action, newest := fp.File, fp.Case.Action, fp.Newest
	if action != Nothing {
		if err := f.tellClash(newest); err != nil {
			return err
		}
	}
	if action == Rebase {
		// Before anything is tidied up: what lies beside the file tells what the edit
		// was made from.
		var err error
		if newest, err = fp.rebase(done); err != nil {
			return err
		}
		action = Redo
		if newest.After == f.Found.Version {
			action = Settle
		}
	}
	stands, err := f.clearTemps(newest)
	if err != nil {
		return err
	}
	if stands != newest {
		done.Rev, newest = stands.Rev, stands
		if action == Nothing {
			action = Settle // a record was appended
		}
	}
	switch action {
	case Settle:
		return f.settle(newest)
	case Redo:
		return f.Redo(newest)
	case Adopt:
		return f.adopt(newest, done)
	case SetAside:
		if done.Aside, err = f.setAside(); err == nil {
			err = &DamagedError{File: f.Target, Aside: done.Aside, Rev: done.Rev, Err: f.Found.Err}
		}
		return err
	case SetAsideRedo:
		if f.Found.Version.Exists {
			if err := f.tellAside(f.Found.Version); err != nil { // be the same bytes kept already
				return err
			}
			if done.Aside, err = f.setAside(); err != nil {
				return err
			}
		}
		return f.Redo(newest)
	case Nothing, Rebase: // rebased above, it is Redo or Settle by now
	}
	return nil
}

func (f *File) settle(newest *wal.Record) error {
	if err := f.Log.Secure(); err != nil {
		return err
	}
	if newest == nil {
		return f.Log.Settle(0, wal.FileID{}, wal.Version{}, false)
	}
	if err := f.syncName(newest); err != nil {
		return err
	}
	f.Log.SetMode(f.Found.Info)
	return f.Log.Settle(newest.LSN, f.Found.ID, newest.After, f.foundStrict(newest.After))
}

// syncName makes durable that the version stands under the name, where `state`
// does not say yet that it does: whoever renamed it may have died before. After a
// power cut `state` is believed of a version of level full, and of one that was behind
// in part, and must be true.
func (f *File) syncName(newest *wal.Record) error {
	if settled(f.Journal, newest) || newest.Flags&(wal.FlagNoDirSync|wal.FlagBehind) == wal.FlagNoDirSync {
		return nil
	}
	if err := f.SyncDir(); err != nil {
		return err
	}
	f.Log.SetNamed(newest.LSN)
	return nil
}

func (f *File) adopt(newest *wal.Record, done *Done) error {
	rec, err := f.Adoption(newest)
	if err != nil {
		return err
	}
	done.Record, done.Rev = rec, rec.Rev
	if newest != nil && !newest.After.Exists {
		done.MovedTo = f.movedTo(newest)
	}
	return f.AppendAdoption(rec)
}

// AppendAdoption durably records an edit made outside and settles.
func (f *File) AppendAdoption(rec *wal.Record) error {
	if err := f.recordFound(rec); err != nil {
		return err
	}
	fsys.Step("recovery.adopted")
	f.Log.SetNamed(rec.LSN)
	f.Log.SetMode(f.Found.Info)
	return f.Log.Settle(rec.LSN, f.Found.ID, rec.After, f.foundStrict(rec.After))
}

// recordFound durably appends a record of what stands under the name. That and its
// name are durable before: so no older version can stand again behind it.
func (f *File) recordFound(rec *wal.Record) error {
	var syncs fsys.Syncs
	syncs.Call(f.SyncFound, nil)
	syncs.Call(f.SyncDir, nil)
	if err := syncs.Run(); err != nil {
		return err
	}
	if err := f.Log.MarkPending(); err != nil {
		return err
	}
	if err := f.Log.Append(rec); err != nil {
		return err
	}
	return f.Log.Sync()
}

// SyncDir makes durable what stands under the name, or that nothing does. A directory
// that has gone holds nothing.
func (f *File) SyncDir() error {
	err := fsys.SyncDir(f.FS, filepath.Dir(f.Target))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Redo puts the version that newest made in place. Its record is durable first,
// so that nothing which could still be lost reaches the file.
func (f *File) Redo(newest *wal.Record) error {
	if err := f.Log.Secure(); err != nil {
		return err
	}
	data, err := f.renderOver(newest)
	if err != nil {
		return err
	}
	fsys.Step("recovery.redo-rendered")
	r := Replacement{File: f, Data: data, Version: newest.After, Strict: isStrict(trusted(data)), Guarded: true, InPlace: f.Overwrites(newest.Kind == wal.KindInPlace, newest.After)}
	if f.Found.Info == nil {
		if r.Mode, err = FormerMode(f.FS, f.Dir); err != nil {
			return err
		}
	}
	if err := r.Stage(); err != nil {
		return err
	}
	defer r.Close()
	if err := r.Sync(); err != nil {
		return errors.Join(err, r.Discard())
	}
	fsys.Step("recovery.redo-staged")
	if err := r.Place(newest); err != nil {
		return err
	}
	fsys.Step("recovery.redo-placed")
	if err := fsys.SyncDir(f.FS, filepath.Dir(f.Target)); err != nil {
		return err
	}
	r.Named = true
	return r.Settle(newest)
}

// renderOver derives the newest version: from what stands under the name where
// that is the version before, which is cheap, else from the journal alone.
func (f *File) renderOver(newest *wal.Record) ([]byte, error) {
	if newest.Kind == wal.KindPatch && newest.After.Exists && f.Found.Doc != nil && f.Found.Version == newest.Before {
		doc, err := ApplyRecord(f.Found.Doc, newest, f.Limits)
		if err == nil && wal.VersionOf(doc.Bytes()) == newest.After {
			return doc.Bytes(), nil
		}
	}
	return Render(f.Journal.Read, newest.LSN, f.Limits)
}

// SyncFound makes durable what stands under the name, which another program may not
// have done. Else a power cut could break it where it counts as a version: one that
// is there to go back to, or to stand until the directory is synced.
func (f *File) SyncFound() error {
	if f.Found.Info == nil {
		return nil
	}
	file, err := f.FS.OpenFile(f.Target, os.O_RDONLY|fsys.NoFollow|fsys.NonBlock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is gone again, as the commit will find
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Adoption builds the record of what stands under the name, as a version that
// another program made after newest (nil where the file was not tracked yet).
func (f *File) Adoption(newest *wal.Record) (*wal.Record, error) {
	rec, t := f.foreignTxn(newest)
	rec.Kind, rec.Flags, rec.After = wal.KindImage, wal.FlagForeign, f.Found.Version
	switch {
	case !f.Found.Version.Exists:
		rec.Kind, t.Patch = wal.KindPatch, []byte(`[{"op":"remove","path":""}]`)
	case rec.Before.Exists:
		old, err := Render(f.Journal.Read, newest.LSN, f.Limits)
		if err == nil {
			err = describe(rec, &t, trusted(old), f.Found.Doc, f.Limits)
		}
		if err != nil {
			return nil, err
		}
	default:
		rec.Image = f.Found.Data
	}
	rec.Txns = []wal.Txn{t}
	return rec, nil
}

// foreignTxn begins the record of an edit made outside after newest, and its
// transaction.
func (f *File) foreignTxn(newest *wal.Record) (*wal.Record, wal.Txn) {
	clock := now()
	at := clock
	if f.Log != nil {
		at = f.Log.Clock(at)
	}
	rec := &wal.Record{Unit: wal.NewIDAt(at), Rev: f.Journal.State().Rev + 1, Clock: wal.ByClock(at, clock)}
	t := wal.Txn{ID: rec.Unit, Time: at, Message: "changed outside jtx"}
	if newest == nil {
		t.Message = "first seen"
	} else {
		rec.Rev, rec.Before = newest.Rev+1, newest.After
	}
	return rec, t
}

// describe finds what a transaction changed, and makes rec a patch where that is
// smaller than the whole, which it then is.
func describe(rec *wal.Record, t *wal.Txn, from, to *jsonpatch.Document, lim jsonpatch.Limits) error {
	change, err := Describe(from, to, lim)
	if err != nil {
		return err
	}
	t.Patch = change.Patch.Encode()
	if change.Image {
		rec.Kind, rec.Image = wal.KindImage, to.Bytes()
		return nil
	}
	rec.Kind, t.Splices = wal.KindPatch, change.Splices
	return nil
}

// Change is how a version is recorded that is made of another: by a patch of values
// and, where a plain rendering of that gives other bytes, by splices or an image.
type Change struct {
	Patch   jsonpatch.Patch
	Splices []wal.Splice
	Image   bool
}

// Describe finds what leads from one document to another.
func Describe(from, to *jsonpatch.Document, lim jsonpatch.Limits) (Change, error) {
	patch, err := jsonpatch.Diff(from, to)
	if err != nil {
		return Change{}, err
	}
	return DescribeBy(patch, from, to, lim), nil
}

// DescribeBy is Describe where a patch is known that is thought to give to's value.
func DescribeBy(patch jsonpatch.Patch, from, to *jsonpatch.Document, lim jsonpatch.Limits) Change {
	got, _, err := from.Apply(patch, lim)
	if err != nil {
		return Change{Image: true} // the patch is over a limit: the image stands for it
	}
	c := Change{Patch: patch}
	if string(got.Bytes()) != string(to.Bytes()) {
		if !got.SameValue(to) {
			if c.Patch, err = jsonpatch.Diff(from, to); err != nil {
				return Change{Image: true}
			}
		}
		list, worth := Splices(from.Bytes(), to.Bytes())
		if c.Image = !worth; worth {
			c.Splices = list
		}
	}
	return c
}
