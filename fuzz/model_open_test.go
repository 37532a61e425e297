package fuzz

import (
	"context"
	"errors"
	"flag"
	"maps"
	"strconv"

	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/txn"
)

// openTransaction begins one, or goes on with it.
func (m *machine) openTransaction(t *rapid.T) {
	if m.open == nil {
		m.begin(t)
	}
	switch rapid.IntRange(0, 5).Draw(t, "then") {
	case 0, 1, 2:
		m.stage(t)
	case 3, 4:
		m.commit(t)
	default:
		m.abort(t)
	}
}

// begin opens a transaction over all files.
func (m *machine) begin(t *rapid.T) {
	tx, err := m.store.Begin(context.Background(), modelFiles, txn.BeginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.open = &pinned{tx: tx, files: modelFiles, changes: maps.Clone(m.changes), docs: maps.Clone(m.docs), texts: m.texts}
}

// stage changes what the transaction sees, and nothing else.
func (m *machine) stage(t *rapid.T) {
	p := m.open
	edits := pickEdits.Draw(t, "edits")
	want := maps.Clone(p.docs)
	var refused error
	for _, e := range edits {
		if refused = e.apply(want); refused != nil {
			break
		}
	}
	tx, err := m.store.Resume(context.Background(), p.tx.ID())
	if err != nil {
		t.Fatal(err)
	}
	err = tx.Update(context.Background(), filesOf(edits), all(edits))
	if (err != nil) != (refused != nil) {
		t.Fatalf("%v: %v, the model says %v", edits, err, refused)
	}
	if err == nil {
		p.docs, p.staged = want, true
	}
}

// commit succeeds where nobody changed a file meanwhile, and is a conflict where
// one is another now. A file that was changed and changed back may be either.
func (m *machine) commit(t *rapid.T) {
	p := m.open
	tx, err := m.store.Resume(context.Background(), p.tx.ID())
	if err != nil {
		t.Fatal(err)
	}
	res, err := tx.Commit(context.Background(), txn.CommitOptions{})
	switch {
	case err == nil && p.staged && !m.texts.equal(p.texts):
		t.Fatal("committed over another change")
	case err == nil && p.staged:
		m.committed(t, res, p.docs)
		m.open = nil
	case err == nil:
		m.open = nil
	case !errors.Is(err, txn.ErrConflict) || maps.Equal(m.changes, p.changes):
		t.Fatalf("nobody changed the files: %v", err)
	default:
		m.refused(t, err)
		m.abort(t)
	}
}

func (m *machine) abort(t *rapid.T) {
	if err := m.open.tx.Abort(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.open = nil
}

// rapidSeed is what -rapid.seed says, 0 where rapid draws one, which it prints if
// the test fails.
func rapidSeed() uint64 {
	f := flag.Lookup("rapid.seed")
	if f == nil {
		return 0
	}
	n, err := strconv.ParseUint(f.Value.String(), 0, 64)
	if err != nil {
		return 0
	}
	return n
}
