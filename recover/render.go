package recovery

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Reader reads one record of a journal. (*wal.Log).Read is one, and a closure
// over wal.ReadRecord another.
type Reader func(wal.LSN) (*wal.Record, error)

// Render derives the bytes of the version that the record at lsn made: the
// newest image at or before it, and every patch from there on. data is nil where
// that version is no file. A result that does not hash to what the record says
// is a *wal.CorruptError.
func Render(read Reader, lsn wal.LSN, lim jsonpatch.Limits) (data []byte, err error) {
	chain, err := chainTo(read, lsn)
	if err != nil {
		return nil, err
	}
	var doc *jsonpatch.Document
	for i := len(chain) - 1; i >= 0; i-- {
		if doc, err = step(doc, chain[i], lim); err != nil {
			return nil, err
		}
	}
	if doc != nil {
		data = doc.Bytes()
	}
	return data, check(chain[0], data)
}

// Next derives the version that rec makes of the one before it, which is nil
// where there was no file, and checks it against the record's hash.
func Next(doc *jsonpatch.Document, rec *wal.Record, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	next, err := step(doc, rec, lim)
	if err != nil || next == nil {
		return nil, errors.Join(err, check(rec, nil))
	}
	return next, check(rec, next.Bytes())
}

func step(doc *jsonpatch.Document, rec *wal.Record, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	switch {
	case rec.HasImage():
		return jsonpatch.Trusted(rec.Image, jsonpatch.JSONC), nil
	case !rec.After.Exists:
		return nil, nil
	case rec.Kind == wal.KindClash: // it leads from what was found, which it has
		doc, rec = trusted(rec.Image), againIn(rec)
	}
	next, err := ApplyRecord(doc, rec, lim)
	if err != nil {
		return nil, corrupt(rec, err)
	}
	return next, nil
}

func check(rec *wal.Record, data []byte) error {
	if got := versionOf(data); got != rec.After {
		return corrupt(rec, fmt.Errorf("replay gives %v, the record says %v", got, rec.After))
	}
	return nil
}

// chainTo lists the records whose replay gives the version of lsn, newest first,
// down to an image or a version that is no file.
func chainTo(read Reader, lsn wal.LSN) ([]*wal.Record, error) {
	var chain []*wal.Record
	for lsn > 0 {
		rec, err := newestAt(read, lsn)
		if err != nil {
			return nil, err
		}
		if rec == nil {
			break
		}
		chain = append(chain, rec)
		if rec.Kind != wal.KindPatch || !rec.After.Exists { // a clash needs nothing before it either
			return chain, nil
		}
		lsn = rec.LSN - 1
	}
	return nil, &wal.CorruptError{LSN: lsn, Reason: "no image to replay from"}
}

// ApplyRecord applies a record's transactions, in their order, to the version before
// it.
func ApplyRecord(doc *jsonpatch.Document, rec *wal.Record, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	if doc == nil {
		return nil, fmt.Errorf("a patch to a file that does not exist")
	}
	if !slices.ContainsFunc(rec.Txns, func(t wal.Txn) bool { return len(t.Splices) > 0 }) {
		patch, err := Patch(rec, lim)
		if err != nil {
			return nil, err
		}
		next, _, err := doc.Apply(patch, lim)
		return next, err
	}
	for i := range rec.Txns {
		var err error
		if doc, err = applyTxn(doc, &rec.Txns[i], lim); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// applyTxn renders a transaction by its splices, where it has any, else plainly.
func applyTxn(doc *jsonpatch.Document, t *wal.Txn, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	if len(t.Splices) == 0 {
		patch, err := jsonpatch.DecodePatch(t.Patch, lim)
		if err != nil {
			return nil, err
		}
		next, _, err := doc.Apply(patch, lim)
		return next, err
	}
	var text []byte
	from, before := int64(0), doc.Bytes()
	for _, s := range t.Splices {
		if s.Offset < from || s.Length > int64(len(before))-s.Offset {
			return nil, fmt.Errorf("a splice of %d bytes at %d in a text of %d", s.Length, s.Offset, len(before))
		}
		text = append(append(text, before[from:s.Offset]...), s.Bytes...)
		from = s.Offset + s.Length
	}
	return trusted(append(text, before[from:]...)), nil
}

// Splices lead from one text to another. They are worth recording where they are
// much smaller than the text itself.
func Splices(from, to []byte) (list []wal.Splice, worth bool) {
	size := 0
	for _, s := range jsonpatch.TextSplices(from, to) {
		list = append(list, wal.Splice{Offset: int64(s.Offset), Length: int64(len(s.Old)), Bytes: s.New})
		size += len(s.New) + spliceSize
	}
	return list, size <= len(to)/2+minImage
}

const (
	// spliceSize is about what a splice takes besides its bytes.
	spliceSize = 6
	// minImage is how many bytes of splices are always better than an image, for
	// what they say of a change.
	minImage = 1 << 10
)

// Patch is everything that a record's transactions did, as one patch.
func Patch(rec *wal.Record, lim jsonpatch.Limits) (jsonpatch.Patch, error) {
	var all jsonpatch.Patch
	for _, t := range rec.Txns {
		p, err := jsonpatch.DecodePatch(t.Patch, lim)
		if err != nil {
			return nil, err
		}
		all = append(all, p...)
	}
	return all, nil
}

// CheckSplices compares, for each transaction of a record that has splices, the value
// of the text that they give with that of its patch. doc is the version before. Where
// the patch was over a limit it is empty, and says nothing.
func CheckSplices(doc *jsonpatch.Document, rec *wal.Record, lim jsonpatch.Limits) error {
	for _, one := range Revisions(rec) {
		if one.HasImage() {
			doc = trusted(one.Image)
			continue
		}
		for i := 0; one.After.Exists && i < len(one.Txns); i++ {
			plain := one.Txns[i]
			plain.Splices = nil
			next, err := applyTxn(doc, &one.Txns[i], lim)
			if err != nil {
				return corrupt(rec, err)
			}
			if len(one.Txns[i].Splices) > 0 && string(plain.Patch) != "[]" {
				want, err := applyTxn(doc, &plain, lim)
				if err != nil || !jsonpatch.Equal(next.Bytes(), want.Bytes()) {
					return corrupt(rec, fmt.Errorf("the splices of transaction %s give another value than its patch", plain.ID))
				}
			}
			doc = next
		}
	}
	return nil
}

func versionOf(data []byte) wal.Version {
	if data == nil {
		return wal.Version{}
	}
	return wal.VersionOf(data)
}

// trustedBytes are the bytes of a document, nil for no file.
func trustedBytes(doc *jsonpatch.Document) []byte {
	if doc == nil {
		return nil
	}
	return doc.Bytes()
}

// trusted is the document of bytes that a journal gave, nil for no file.
func trusted(data []byte) *jsonpatch.Document {
	if data == nil {
		return nil
	}
	return jsonpatch.Trusted(data, jsonpatch.JSONC)
}

func corrupt(rec *wal.Record, err error) error {
	return &wal.CorruptError{LSN: rec.LSN, Reason: err.Error()}
}
