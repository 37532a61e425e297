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
	// Clash says why an edit that was made while the file was behind could not be
	// rebased, and where it clashed with a committed change: its bytes are in Aside,
	// and Rev stands. It is "" where there was no clash. Aside without a clash has an
	// edit that was rebased, since its comments or layout were not, or since after
	// another boot it is not certain which version it was made from.
	Clash string
	Cut   wal.CutReport
	Err   error // damage, or what kept the action from being done
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
		return nil
	}
	for _, f := range u.Holders {
		if err := Abort(f.Log, u.Unit); err != nil {
			return err
		}
		fsys.Step("recovery.unit-aborted")
	}
	return nil
}

// Doubt is an *InDoubtError where the unit can't be decided.
func (u *UnitPlan) Doubt() error {
	if u.Case.Outcome != InDoubt {
		return nil
	}
	for key, err := range u.Unreachable {
		return &InDoubtError{File: u.Holders[0].Target, Unit: u.Unit, Path: key.Path, Err: err}
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
	stands, err := f.clearTemps(fp.Newest)
	if err != nil {
		done.Err = err
		return done
	}
	action := fp.Case.Action
	if stands != fp.Newest {
		done.Rev, fp.Newest = stands.Rev, stands
		if action == Nothing {
			action = Settle // two records were appended
		}
	}
	switch action {
	case Settle:
		done.Err = f.settle(fp.Newest)
	case Redo:
		done.Err = f.Redo(fp.Newest)
	case Adopt:
		done.Err = fp.adopt(&done)
	case SetAside:
		done.Aside, done.Err = f.setAside()
		if done.Err == nil {
			done.Err = &DamagedError{File: f.Target, Aside: done.Aside, Rev: done.Rev, Err: f.Found.Err}
		}
	case SetAsideRedo:
		if f.Found.Version.Exists {
			done.Aside, done.Err = f.setAside()
		}
		if done.Err == nil {
			done.Err = f.Redo(fp.Newest)
		}
	case Rebase:
		done.Err = fp.rebase(&done)
	}
	return done
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
	err := fsys.SyncDir(f.FS, filepath.Dir(f.Target))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the version is that there is no file
	}
	return err
}

func (fp *FilePlan) adopt(done *Done) error {
	rec, err := fp.File.Adoption(fp.Newest)
	if err != nil {
		return err
	}
	done.Record, done.Rev = rec, rec.Rev
	return fp.File.AppendAdoption(rec)
}

// AppendAdoption durably records an edit made outside and settles.
func (f *File) AppendAdoption(rec *wal.Record) error {
	if err := f.SyncFound(); err != nil {
		return err
	}
	if rec.Flags&wal.FlagNoDirSync == 0 {
		if err := fsys.SyncDir(f.FS, filepath.Dir(f.Target)); err != nil {
			return err
		}
	}
	if err := f.Log.MarkPending(); err != nil {
		return err
	}
	if err := f.Log.Append(rec); err != nil {
		return err
	}
	if err := f.Log.Sync(); err != nil {
		return err
	}
	fsys.Step("recovery.adopted")
	return f.Log.Settle(rec.LSN, f.Found.ID, rec.After, f.foundStrict(rec.After))
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

// foreign are the flags of an adopted edit: whether the program that made it synced
// the name is not known, so that after a power cut an older content means that it
// didn't.
const foreign = wal.FlagForeign | wal.FlagNoDirSync

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
	rec.Kind, rec.Flags, rec.After = wal.KindImage, foreign, f.Found.Version
	switch {
	case !f.Found.Version.Exists:
		rec.Kind, t.Patch = wal.KindPatch, []byte(`[{"op":"remove","path":""}]`)
	case rec.Before.Exists:
		if err := f.describe(rec, &t, newest); err != nil {
			return nil, err
		}
	}
	if rec.Kind == wal.KindImage {
		rec.Image = f.Found.Data
	}
	rec.Txns = []wal.Txn{t}
	return rec, nil
}

// foreignTxn begins the record of an edit made outside after newest, and its
// transaction.
func (f *File) foreignTxn(newest *wal.Record) (*wal.Record, wal.Txn) {
	at := now()
	if f.Log != nil {
		at = f.Log.Clock(at)
	}
	rec := &wal.Record{Unit: wal.NewIDAt(at), Rev: 1}
	t := wal.Txn{ID: rec.Unit, Time: at, Message: "changed outside jtx"}
	if newest == nil {
		t.Message = "first seen"
	} else {
		rec.Rev, rec.Before = newest.Rev+1, newest.After
	}
	return rec, t
}

// describe finds the patch from newest to what stands under the name. Where it
// gives the very bytes the record needs no image.
func (f *File) describe(rec *wal.Record, t *wal.Txn, newest *wal.Record) error {
	old, err := Render(f.Journal.Read, newest.LSN, f.Limits)
	if err != nil {
		return err
	}
	patch, exact, err := Describe(jsonpatch.Trusted(old, jsonpatch.JSONC), f.Found.Doc, f.Limits)
	if err != nil {
		return err
	}
	t.Patch = patch.Encode()
	if exact {
		rec.Kind = wal.KindPatch
	}
	return nil
}

// Describe finds a patch from one document to another by value, and tells
// whether it gives the very bytes besides.
func Describe(from, to *jsonpatch.Document, lim jsonpatch.Limits) (jsonpatch.Patch, bool, error) {
	patch, err := jsonpatch.Diff(from, to)
	if err != nil {
		return nil, false, err
	}
	got, _, err := from.Apply(patch, lim)
	if err != nil {
		return nil, false, nil // the patch is over a limit: the image stands for it
	}
	return patch, string(got.Bytes()) == string(to.Bytes()), nil
}
