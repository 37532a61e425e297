package recovery

import (
	"errors"
	"fmt"

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
		if rec.Kind != wal.KindPatch || !rec.After.Exists {
			return chain, nil
		}
		lsn = rec.LSN - 1
	}
	return nil, &wal.CorruptError{LSN: lsn, Reason: "no image to replay from"}
}

// ApplyRecord applies the patches of a record's transactions, in their order, to
// the version before it.
func ApplyRecord(doc *jsonpatch.Document, rec *wal.Record, lim jsonpatch.Limits) (*jsonpatch.Document, error) {
	if doc == nil {
		return nil, fmt.Errorf("a patch to a file that does not exist")
	}
	patch, err := Patch(rec, lim)
	if err != nil {
		return nil, err
	}
	next, _, err := doc.Apply(patch, lim)
	return next, err
}

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

func versionOf(data []byte) wal.Version {
	if data == nil {
		return wal.Version{}
	}
	return wal.VersionOf(data)
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
