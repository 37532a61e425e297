package recovery

import (
	"fmt"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// levelFlags are those that tell how durably a version was put in place.
const levelFlags = wal.FlagLazy | wal.FlagNoDirSync | wal.FlagBehind

// clashRecord is the one record that makes two revisions behind newest, so that
// nothing can come between them: what was found, and then next; nil for no file. That
// is the content of newest again, or what its changes make of what was found.
func (f *File) clashRecord(newest *wal.Record, found Found, next []byte) (*wal.Record, error) {
	rec, edit := f.foreignTxn(newest)
	rec.Kind, rec.Rev = wal.KindClash, newest.Rev+2
	then := wal.Txn{ID: wal.NewIDAt(edit.Time), Time: edit.Time.Add(1), Message: fmt.Sprintf("%s again", newest.Unit)}
	rec.Txns = []wal.Txn{edit, then}
	old, err := Render(f.Journal.Read, newest.LSN, f.Limits)
	if err != nil {
		return nil, err
	}
	return rec, FillClash(rec, trusted(old), found.Doc, trusted(next), f.Limits)
}

// FillClash makes a clash record lead from one version to what was found, and from
// there to what stands then; nil is no file.
func FillClash(rec *wal.Record, old, found, next *jsonpatch.Document, lim jsonpatch.Limits) (err error) {
	rec.Before, rec.Image, rec.After = versionOf(trustedBytes(old)), found.Bytes(), versionOf(trustedBytes(next))
	edit, then := &rec.Txns[0], &rec.Txns[1]
	edit.Splices, then.Splices = nil, nil
	if edit.Patch, err = fitting(old, found, lim); err != nil {
		return err
	}
	if then.Patch, err = fitting(found, next, lim); err != nil || next == nil {
		return err
	}
	then.Splices, _ = Splices(found.Bytes(), next.Bytes())
	return nil
}

// removeAll is the patch of a version that is no file.
const removeAll = `[{"op":"remove","path":""}]`

// fitting is the patch from one document to another by value, empty where that is
// over a limit, or the file was not there: the text stands for it.
func fitting(from, to *jsonpatch.Document, lim jsonpatch.Limits) ([]byte, error) {
	switch {
	case to == nil:
		return []byte(removeAll), nil
	case from == nil:
		return jsonpatch.Patch(nil).Encode(), nil
	}
	c, err := Describe(from, to, lim)
	return c.Patch.Encode(), err
}

// Revisions lists what a record of a version does one after the other, oldest first,
// each as a record of its own: of a clash the version that was found, with its whole
// text, and what leads from there to the one that stands then. They share the record's
// LSN. Any other record is the only one.
func Revisions(rec *wal.Record) []*wal.Record {
	if rec.Kind != wal.KindClash {
		return []*wal.Record{rec}
	}
	return []*wal.Record{foundIn(rec), againIn(rec)}
}

// stoodBefore is what stands under the name until a record is carried out.
func stoodBefore(rec *wal.Record) wal.Version {
	if rec.Kind == wal.KindClash {
		return wal.VersionOf(rec.Image)
	}
	return rec.Before
}

func foundIn(clash *wal.Record) *wal.Record {
	r := *clash
	r.Kind, r.Flags, r.Rev, r.Txns = wal.KindImage, wal.FlagForeign, clash.Rev-1, clash.Txns[:1]
	r.After = wal.VersionOf(clash.Image)
	return &r
}

func againIn(clash *wal.Record) *wal.Record {
	r := *clash
	r.Kind, r.Image, r.Txns, r.Unit = wal.KindPatch, nil, clash.Txns[1:], clash.Txns[1].ID
	r.Before = wal.VersionOf(clash.Image)
	return &r
}
