package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The versions that a file in these tests has had, or has.
const (
	textOld    = "{\n  \"v\": 1\n}\n"
	textNew    = "{\n  \"v\": 2\n}\n"
	textOther  = "{\n  \"v\": 99, \"by\": \"somebody\"\n}\n"
	textBroken = "{\n  \"v\": "
)

var standings = map[Standing]string{StandsNew: textNew, StandsOld: textOld, StandsAbsent: "", StandsOther: textOther, StandsBroken: textBroken}

var (
	bootNow    = [16]byte{1}
	bootBefore = [16]byte{2}
	testUnit   = wal.ID{7}
	otherUnit  = wal.ID{8}
)

// place is a tracked file that is built into a case.
type place struct {
	t    *testing.T
	dir  string
	key  Key
	file *File
}

func newPlace(t *testing.T, name string) *place {
	p := &place{t: t, dir: t.TempDir(), key: Key{Workspace: wal.ID{1}, Path: name}}
	require.NoError(t, os.Mkdir(p.journal(), 0o700))
	return p
}

func (p *place) journal() string { return filepath.Join(p.dir, "journal") }
func (p *place) target() string  { return filepath.Join(p.dir, "f.json") }

func (p *place) write(text string) {
	if text == "" {
		err := os.Remove(p.target())
		require.True(p.t, err == nil || errors.Is(err, fs.ErrNotExist), err)
		return
	}
	require.NoError(p.t, os.WriteFile(p.target(), []byte(text), 0o600))
}

// read is what stands under the name, "" for nothing.
func (p *place) read() string {
	data, err := os.ReadFile(p.target())
	require.True(p.t, err == nil || errors.Is(err, fs.ErrNotExist), err)
	return string(data)
}

// base is the journal's first record: the file's old content, settled.
func (p *place) base(log *wal.Log) {
	p.write(textOld)
	info, err := os.Lstat(p.target())
	require.NoError(p.t, err)
	v := wal.VersionOf([]byte(textOld))
	require.NoError(p.t, log.Append(&wal.Record{Kind: wal.KindImage, Unit: wal.ID{6}, Rev: 1, After: v, Image: []byte(textOld)}))
	require.NoError(p.t, log.Sync())
	log.SetNamed(1)
	require.NoError(p.t, log.Settle(1, wal.FileIDOf(info), v, false))
}

// newest is the record of the version that is carried forward.
func newest(m Memory, flags wal.Flags) *wal.Record {
	rec := &wal.Record{Kind: wal.KindPatch, Flags: flags, Unit: testUnit, Rev: 2, Before: wal.VersionOf([]byte(textOld)), After: wal.VersionOf([]byte(textNew)),
		Txns: []wal.Txn{{ID: testUnit, Patch: []byte(`[{"op":"replace","path":"/v","value":2}]`)}}}
	switch m {
	case Overwriting:
		rec.Kind, rec.Image = wal.KindInPlace, []byte(textNew)
	case Behind:
		rec.Flags |= wal.FlagBehind | wal.FlagNoDirSync
	default: // as it is
	}
	return rec
}

// build writes the journal and `state` of a file that has been through so much,
// with text under its name. recs follow the base.
func (p *place) build(m Memory, text string, recs ...*wal.Record) {
	boot := bootNow
	if m == Forgotten {
		boot = bootBefore
	}
	log, err := wal.Open(p.journal(), wal.Options{Boot: boot})
	require.NoError(p.t, err)
	p.base(log)
	if len(recs) > 0 {
		require.NoError(p.t, log.Append(recs...))
		require.NoError(p.t, log.Sync())
	}
	if m == Settled {
		p.write(textNew)
		info, err := os.Lstat(p.target())
		require.NoError(p.t, err)
		log.SetNamed(log.State().Last)
		require.NoError(p.t, log.Settle(log.State().Last, wal.FileIDOf(info), wal.VersionOf([]byte(textNew)), false))
	}
	require.NoError(p.t, log.Close())
	p.write(text)
}

// open opens the file as a program of this boot does.
func (p *place) open() *File {
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, log.Close()) })
	p.file = &File{FS: fsys.OS, Key: p.key, Dir: p.journal(), Target: p.target(), Journal: log, Log: log}
	require.NoError(p.t, p.file.Look())
	return p.file
}

// tree is every byte below the place.
func (p *place) tree() map[string]string {
	all := map[string]string{}
	require.NoError(p.t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	}))
	return all
}

// want is the second table, as users know it.
var want = []struct {
	memory   Memory
	standing Standing
	name     string
	action   Action
}{
	{Settled, StandsNew, "clean", Nothing},
	{Settled, StandsOld, "reverted-outside", Adopt},
	{Settled, StandsAbsent, "deleted-outside", Adopt},
	{Settled, StandsOther, "edited-outside", Adopt},
	{Settled, StandsBroken, "damaged", SetAside},
	{Pending, StandsNew, "renamed-not-settled", Settle},
	{Pending, StandsOld, "not-renamed", Redo},
	{Pending, StandsAbsent, "deleted-during-commit", Adopt},
	{Pending, StandsOther, "edited-during-commit", Rebase}, // here with a clash
	{Pending, StandsBroken, "damaged-during-commit", SetAside},
	{Forgotten, StandsNew, "in-place-after-boot", Settle},
	{Forgotten, StandsOld, "rename-lost", Redo},
	{Forgotten, StandsAbsent, "deleted-before-boot", Adopt},
	{Forgotten, StandsOther, "edited-before-boot", Rebase}, // likewise
	{Forgotten, StandsBroken, "damaged-before-boot", SetAside},
	{Overwriting, StandsNew, "overwritten", Redo},
	{Overwriting, StandsOld, "not-overwritten", Redo},
	{Overwriting, StandsAbsent, "deleted-while-overwriting", SetAsideRedo},
	{Overwriting, StandsOther, "half-overwritten", SetAsideRedo},
	{Overwriting, StandsBroken, "half-overwritten-broken", SetAsideRedo},
	{Behind, StandsNew, "caught-up", Settle},
	{Behind, StandsOld, "behind", Redo},
	{Behind, StandsAbsent, "deleted-while-behind", Adopt},
	{Behind, StandsOther, "edited-while-behind", Rebase}, // likewise
	{Behind, StandsBroken, "damaged-while-behind", SetAside},
}

// TestFileTable builds every case for real, looks at it without changing it,
// carries it out, and carries it out again.
func TestFileTable(t *testing.T) {
	require.Len(t, want, int(numMemories)*int(numStandings))
	for _, w := range want {
		t.Run(w.name, func(t *testing.T) {
			p := newPlace(t, "f.json")
			p.build(w.memory, standings[w.standing], newest(w.memory, 0))
			plan := p.plan(nil)
			require.Equal(t, w.name, plan.Files[0].Case.Name)
			require.Equal(t, w.action, plan.Files[0].Case.Action)
			p.carryOut(plan, w.action, standings[w.standing])
		})
	}
}

// TestLostWrite: only a version that was never synced, in another boot, excuses
// broken bytes.
func TestLostWrite(t *testing.T) {
	for _, flags := range []wal.Flags{0, wal.FlagBehind} {
		p := newPlace(t, "f.json")
		p.build(Forgotten, textBroken, newest(Forgotten, flags|wal.FlagLazy|wal.FlagNoDirSync))
		plan := p.plan(nil)
		require.Equal(t, "write-lost", plan.Files[0].Case.Name)
		p.carryOut(plan, SetAsideRedo, textBroken)
	}
	p := newPlace(t, "f.json")
	p.build(Behind, textBroken, newest(Behind, wal.FlagLazy))
	require.Equal(t, "damaged-while-behind", p.plan(nil).Files[0].Case.Name)
}

// TestFileTableBehindAfterABoot: another boot's `state` makes no difference to what
// is behind.
func TestFileTableBehindAfterABoot(t *testing.T) {
	for _, w := range want {
		if w.memory != Behind {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			p := newPlace(t, "f.json")
			p.build(Forgotten, standings[w.standing], newest(Behind, 0))
			plan := p.plan(nil)
			require.Equal(t, w.name, plan.Files[0].Case.Name)
			p.carryOut(plan, w.action, standings[w.standing])
		})
	}
}

// plan plans, and checks that planning and reporting change nothing.
func (p *place) plan(unreachable map[Key]error, others ...*place) *Plan {
	all := append([]*place{p}, others...)
	var files []*File
	before := map[*place]map[string]string{}
	for _, q := range all {
		files = append(files, q.open())
		before[q] = q.tree()
	}
	plan, err := MakePlan(files, unreachable)
	require.NoError(p.t, err)
	plan.Report()
	for _, q := range all {
		require.Equal(p.t, before[q], q.tree(), "a dry run changed something")
	}
	return plan
}

// carryOut applies the plan and checks what the action must come to.
func (p *place) carryOut(plan *Plan, action Action, found string) {
	var done Done
	for _, d := range Apply(plan) {
		if d.Key == p.key && d.Unit.IsZero() {
			done = d
		}
	}
	stands := map[Action]string{Nothing: found, Settle: found, Redo: textNew, Adopt: found, SetAside: found, SetAsideRedo: textNew, Rebase: textNew}[action]
	require.Equal(p.t, stands, p.read())
	if action == SetAside {
		var damage *DamagedError
		require.ErrorAs(p.t, done.Err, &damage)
		require.Equal(p.t, found, p.aside(damage.Aside))
		return // it stays so until the user mends it
	}
	require.NoError(p.t, done.Err)
	if action == Rebase {
		require.NotEmpty(p.t, done.Clash)
		require.Equal(p.t, []string{found, stands}, lastTwo(p.versions()))
	}
	if action == SetAsideRedo && found != "" {
		require.Equal(p.t, found, p.aside(done.Aside))
	}
	if action == Adopt {
		require.Equal(p.t, wal.VersionOf([]byte(found)), versionIf(found, done.Record.After))
		require.NotZero(p.t, done.Record.Flags&wal.FlagForeign)
	}
	p.atRest(stands)
}

func lastTwo(texts []string) []string { return texts[len(texts)-2:] }

// versionIf is v, or where nothing is expected the version of nothing.
func versionIf(text string, v wal.Version) wal.Version {
	if text == "" && !v.Exists {
		return wal.VersionOf(nil)
	}
	return v
}

func (p *place) aside(name string) string {
	data, err := os.ReadFile(name)
	require.NoError(p.t, err)
	return string(data)
}

// atRest: recovery once more finds nothing to do, whether `state` is there or not,
// and the journal gives what stands.
func (p *place) atRest(stands string) {
	before := p.tree()
	again := newAgain(p).plan(nil)
	require.Equal(p.t, "clean", again.Files[0].Case.Name)
	for _, d := range Apply(again) {
		require.NoError(p.t, d.Err)
	}
	require.Equal(p.t, before, p.tree(), "recovery of a file at rest changed something")
	f := again.Files[0].File
	data, err := Render(f.Journal.Read, again.Files[0].Newest.LSN, f.Limits)
	require.NoError(p.t, err)
	require.Equal(p.t, stands, string(data))
}

// newAgain is the same place for a further plan.
func newAgain(p *place) *place { return &place{t: p.t, dir: p.dir, key: p.key} }

// unitCases is the first table: what the other participant's journal holds.
var unitCases = map[Unit]struct {
	name    string
	outcome Outcome
}{
	UnitComplete:    {"unit-complete", Committed},
	UnitMissing:     {"unit-missing", Discarded},
	UnitSuperseded:  {"unit-superseded", Discarded},
	UnitAborted:     {"unit-aborted", Discarded},
	UnitUnreachable: {"unit-in-doubt", InDoubt},
	UnitUnknown:     {"unit-unknown", InDoubt},
}

// TestUnitTable builds a unit of two files: the first holds its record, the second
// one is in each state of the first table; and the first file is in each state of
// the second table in which a unit can be unfinished.
func TestUnitTable(t *testing.T) {
	require.Len(t, unitCases, int(numUnits)-4, "all but the unit of one file, which TestFileTable has, and those of TestDecided and TestProven")
	for unit, c := range unitCases {
		for _, m := range []Memory{Pending, Forgotten, Behind} {
			for standing, text := range standings {
				t.Run(fmt.Sprintf("%s/memory %d/standing %d", c.name, m, standing), func(t *testing.T) {
					a, b := newPlace(t, "a"), newPlace(t, "b")
					rec := newest(m, 0)
					rec.Participants = []wal.Participant{{Workspace: wal.ID{1}, Path: "a", LSN: 2, Count: 1}, {Workspace: wal.ID{1}, Path: "b", LSN: 2, Count: 1}}
					a.build(m, text, clone(rec))
					unreachable := buildOther(b, unit, m, rec)
					var plan *Plan
					if unreachable != nil {
						plan = a.plan(unreachable)
					} else {
						plan = a.plan(nil, b)
					}
					require.Equal(t, c.name, plan.Units[0].Case.Name)
					require.Equal(t, c.outcome, plan.Units[0].Case.Outcome)
					checkUnit(a, b, plan, c.outcome, m, standing)
				})
			}
		}
	}
}

func clone(r *wal.Record) *wal.Record { c := *r; return &c }

// buildOther puts the second participant into a state of the first table.
func buildOther(b *place, unit Unit, m Memory, rec *wal.Record) map[Key]error {
	other := clone(rec)
	switch unit {
	case UnitComplete:
		b.build(m, textOld, other)
	case UnitMissing:
		b.build(m, textOld)
	case UnitSuperseded:
		other.Unit, other.Participants = otherUnit, nil
		b.build(m, textOld, other)
	case UnitAborted:
		b.build(m, textOld, other, &wal.Record{Kind: wal.KindAbort, Unit: testUnit, Rev: 1, Before: rec.Before, After: rec.Before})
	case UnitUnreachable:
		return map[Key]error{b.key: errors.New("not mounted")}
	case UnitUnknown: // its journal rotted, and was set aside
		b.build(m, textOld, other)
		b.setAside()
	default: // there is no other journal, or the test makes it
	}
	return nil
}

// setAside lets the journal rot, gives the file a new one, and settles it.
func (p *place) setAside() {
	p.rotAndSwitch()
	f := p.open()
	rec, err := f.Adoption(nil)
	require.NoError(p.t, err)
	require.NoError(p.t, f.AppendAdoption(rec))
}

// rotAndSwitch is setAside as far as the switch to the new journal.
func (p *place) rotAndSwitch() {
	segment := filepath.Join(p.journal(), "00000000000000000001")
	require.NoError(p.t, os.WriteFile(segment, []byte("rotten"), 0o600))
	_, err := wal.SetAside(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(p.t, err)
}

// Somebody looks at a file whose journal was set aside by a process that died before it
// recorded what the file holds.
func TestALookAtAJournalWithoutAVersion(t *testing.T) {
	p := newPlace(t, "f")
	p.build(Settled, textOther, newest(Settled, 0))
	p.rotAndSwitch()
	journal, err := Peek(fsys.OS, p.journal(), bootNow)
	require.NoError(t, err)
	f := &File{FS: fsys.OS, Key: p.key, Dir: p.journal(), Target: p.target(), Journal: journal}
	require.NoError(t, f.Look())
	require.NoError(t, Lasting([]*File{f}))
	plan, err := MakePlan([]*File{f}, nil)
	require.NoError(t, err)
	require.Equal(t, FileCase{"begins-anew", Adopt}, plan.Of(p.key).Case)
	rec, err := plan.Of(p.key).Coming()
	require.NoError(t, err)
	require.Equal(t, textOther, string(rec.Image))
	require.Equal(t, uint64(3), rec.Rev, "revisions go on")
}

// checkUnit carries a unit out. A discarded one leaves the first file with its old
// version, which `state` knows to have been in place.
func checkUnit(a, b *place, plan *Plan, outcome Outcome, m Memory, standing Standing) {
	text := standings[standing]
	before := a.tree()
	switch outcome {
	case InDoubt:
		for _, d := range Apply(plan) {
			if d.Key == b.key {
				require.NoError(a.t, d.Err) // it has gone on
				continue
			}
			require.ErrorIs(a.t, d.Err, ErrInDoubt)
		}
		require.Equal(a.t, before, a.tree())
	case Committed:
		a.carryOut(plan, fileTable[m][standing].Action, text)
		require.Equal(a.t, textNew, b.read())
		newAgain(b).atRest(textNew)
	case Discarded:
		action := map[Standing]Action{StandsNew: Adopt, StandsOld: Settle, StandsAbsent: Adopt, StandsOther: Adopt, StandsBroken: SetAside}[standing]
		a.carryOut(plan, action, text)
		last, err := a.file.Log.Read(3)
		require.NoError(a.t, err)
		require.Equal(a.t, wal.KindAbort, last.Kind)
	}
}
