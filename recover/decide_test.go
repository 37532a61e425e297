package recovery

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal"
)

// doubtful is a file that ends with the record of a unit whose other file, b, can't be
// looked at. text stands under its name.
func doubtful(t *testing.T, m Memory, text string) (*place, map[Key]error) {
	a, b := newPlace(t, "a"), Key{Workspace: wal.ID{1}, Path: "b"}
	rec := newest(m, 0)
	rec.Participants = []wal.Participant{{Workspace: wal.ID{1}, Path: "a", LSN: 2, Count: 1}, {Workspace: wal.ID{1}, Path: "b", LSN: 2, Count: 1}}
	a.write(text) // under the inode that the record names, where text is what was staged
	if info, err := os.Lstat(a.target()); err == nil && text == textNew {
		rec.Staged = wal.FileIDOf(info).Ino
	}
	a.build(m, text, rec)
	return a, map[Key]error{b: errors.New("not mounted")}
}

// TestProven: what was staged, standing under its name, proves that the unit was
// committed. The same bytes in another file prove nothing.
func TestProven(t *testing.T) {
	for _, m := range []Memory{Pending, Forgotten} {
		a, gone := doubtful(t, m, textNew)
		plan := a.plan(gone)
		require.Equal(t, "unit-proven", plan.Units[0].Case.Name)
		a.carryOut(plan, Settle, textNew)

		a, gone = doubtful(t, m, textNew)
		require.NoError(t, os.Rename(a.target(), a.target()+"2")) // the inode is not used again
		a.write(textNew)
		plan = newAgain(a).plan(gone)
		require.Equal(t, "unit-in-doubt", plan.Units[0].Case.Name)
		require.True(t, plan.Files[0].InDoubt)
	}
}

// decide lets a person decide, and plans again.
func (p *place) decide(t *testing.T, outcome wal.Outcome, gone map[Key]error) *Plan {
	plan := p.plan(gone)
	require.Equal(t, "unit-in-doubt", plan.Units[0].Case.Name)
	require.NoError(t, plan.Units[0].Decide(outcome, "ann", []*File{plan.Files[0].File}))
	return newAgain(p).plan(gone)
}

func TestDecided(t *testing.T) {
	for _, m := range []Memory{Pending, Forgotten} {
		for _, text := range []string{textOld, textNew} {
			a, gone := doubtful(t, m, textOld)
			a.write(text)
			plan := a.decide(t, wal.OutcomeCommitted, gone)
			require.Equal(t, "unit-decided", plan.Units[0].Case.Name)
			a.carryOut(plan, map[string]Action{textOld: Redo, textNew: Settle}[text], text)

			a, gone = doubtful(t, m, textOld)
			a.write(text)
			plan = a.decide(t, wal.OutcomeDiscarded, gone)
			require.Empty(t, plan.Units)
			a.carryOut(plan, map[string]Action{textOld: Settle, textNew: Adopt}[text], text)
		}
	}
}

// TestDecisionsMeet: where journals that have been decided meet, the decision stands;
// contrary ones are told, and nothing is done.
func TestDecisionsMeet(t *testing.T) {
	for _, text := range []string{textOld, textNew} {
		a, gone := doubtful(t, Pending, textOld)
		plan := a.plan(gone)
		require.NoError(t, plan.Units[0].Decide(wal.OutcomeCommitted, "ann", []*File{plan.Files[0].File}))

		b := newPlace(t, "b")
		rec := clone(plan.Units[0].Record)
		b.build(Pending, text, rec)
		other := b.plan(map[Key]error{a.key: errors.New("not mounted")})
		require.NoError(t, other.Units[0].Decide(wal.OutcomeDiscarded, "bob", []*File{other.Files[0].File}))

		met := newAgain(a).plan(nil, newAgain(b))
		require.Equal(t, "unit-decided-contrarily", met.Units[0].Case.Name)
		before := a.tree()
		var contrary *ContraryError
		require.ErrorAs(t, Apply(met)[0].Err, &contrary)
		require.ErrorIs(t, contrary, ErrDamaged)
		require.Equal(t, []string{a.target(), b.target()}, []string{contrary.Committed, contrary.Discarded})
		require.Equal(t, before, a.tree())
	}
}
