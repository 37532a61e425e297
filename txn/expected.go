package txn

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
)

// Expected is the version that a file is expected to be at: told by its revision, or by
// the transaction that made it. Where a journal was set aside, or was lost, a revision's
// number may come a second time; a transaction's id does not.
type Expected struct {
	Rev uint64 // 0: the file must not exist yet
	Tx  wal.ID // zero: whichever made the revision
}

// ParseExpected reads a revision's number, or a transaction's id.
func ParseExpected(text string) (Expected, error) {
	if rev, err := strconv.ParseUint(text, 10, 64); err == nil {
		return Expected{Rev: rev}, nil
	}
	id, err := wal.ParseID(text)
	if err != nil {
		return Expected{}, fmt.Errorf("%w: %q is neither a revision nor a transaction's id", ErrInvalid, text)
	}
	return Expected{Tx: id}, nil
}

// UnmarshalJSON reads a number, or an id in a string.
func (e *Expected) UnmarshalJSON(text []byte) (err error) {
	word := string(text)
	if len(text) > 0 && text[0] == '"' {
		if err := json.Unmarshal(text, &word); err != nil {
			return err
		}
	}
	*e, err = ParseExpected(word)
	return err
}

// IfAt makes the transaction fail with ErrConflict unless file is at the expected
// version when its locks are held.
func (s *Store) IfAt(file string, want Expected) Option {
	return func(c *call) {
		if c.expect == nil {
			c.expect = map[string]Expected{}
		}
		c.expect[s.src.Abs(file)] = want
	}
}

// IfRevision is IfAt for a revision. 0 means that the file must not exist yet.
func (s *Store) IfRevision(file string, rev uint64) Option {
	return s.IfAt(file, Expected{Rev: rev})
}

// check compares what was expected of a file with where it is.
func (e Expected) check(name string, rev uint64, made []string) error {
	if e.Tx.IsZero() && rev == e.Rev || !e.Tx.IsZero() && slices.Contains(made, e.Tx.String()) {
		return nil
	}
	return &Error{Kind: ErrConflict, File: name, Err: &RevisionError{Have: rev, Want: e.Rev, Tx: e.Tx}}
}

// checkExpected holds a transaction to the versions that the caller expects.
func (ses *session) checkExpected(c *call) error {
	for name, want := range c.expect {
		t := ses.ByName(name)
		if t == nil {
			return &Error{Kind: ErrNotListed, File: name}
		}
		have, err := t.Rev()
		if err != nil {
			return fault.In(name, err)
		}
		made, err := t.Made(t.File.Found)
		if err != nil {
			return fault.In(name, err)
		}
		if err := want.check(name, have, made); err != nil {
			return err
		}
	}
	return nil
}

// holds tells that a file is as it was pinned: at the same version, made by the same
// unit. What was pinned while no version held it is told by its bytes alone.
func (f *txFile) holds(d *draft) (bool, error) {
	if pinOf(d.found.Version) != f.Pinned {
		return false, nil
	}
	if len(f.Made) == 0 {
		return true, nil
	}
	made, err := d.t.Made(d.found)
	if err != nil {
		return false, fault.In(d.name, err)
	}
	rev, err := d.t.Rev()
	return rev == f.Rev && len(made) > 0 && made[0] == f.Made[0], fault.In(d.name, err)
}

// Expect fails with ErrConflict unless a file that has joined was pinned at the expected
// version.
func (t *OpenTx) Expect(file string, want Expected) error {
	f := t.file(t.s.src.Abs(file))
	if f == nil {
		return &Error{Kind: ErrNotListed, File: file}
	}
	return want.check(file, f.Rev, f.Made)
}
