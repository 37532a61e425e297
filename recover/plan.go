package recovery

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
)

// Plan is what recovery would do to some files, and why.
type Plan struct {
	Units []*UnitPlan
	Files []FilePlan
}

// UnitPlan is a decided unit of several files.
type UnitPlan struct {
	Unit   wal.ID
	Case   UnitCase
	Record *wal.Record // as one of its participants holds it
	// Holders are the files whose journal ends with the unit's record.
	Holders []*File
	// Doubts says why, for each participant that can't be looked at, or has nothing to
	// say.
	Doubts map[Key]error

	contrary *ContraryError
}

// FilePlan is a file's case. Newest is the committed version that recovery
// carries the file to, nil where there is none.
type FilePlan struct {
	File   *File
	Case   FileCase
	Newest *wal.Record
	// InDoubt tells that the file is left alone until its unit is decided. Newest is
	// the version before that then.
	InDoubt bool

	merge *merge // of what was found, once it was worked out
}

// Of finds the plan of a file. Every file that was planned has one.
func (p *Plan) Of(k Key) *FilePlan {
	for i := range p.Files {
		if p.Files[i].File.Key == k {
			return &p.Files[i]
		}
	}
	panic(fmt.Sprintf("no plan for %v", k))
}

// MissingError is returned where a unit has participants whose locks the caller
// does not hold. It locks them too, or says why it can't, and plans again.
type MissingError struct{ Participants []Missing }

// Missing is a participant that must be locked.
type Missing struct {
	wal.Participant
	// Moved is where its workspace is if that was moved together with the one of a
	// file that is there; "" where that one was not moved.
	Moved string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%d other files of an unfinished transaction must be locked", len(e.Participants))
}

// ErrInDoubt is returned where a unit may or may not be committed, because a
// participant can't be looked at, or can't tell.
var ErrInDoubt = errors.New("in doubt")

// InDoubtError says which unit, and what keeps it from being decided.
type InDoubtError struct {
	File string
	Unit wal.ID
	Path string // where the participant was that can't tell
	Err  error
}

func (e *InDoubtError) Error() string {
	return fmt.Sprintf("%s: transaction %s is in doubt: %s can't tell: %v", e.File, e.Unit, e.Path, e.Err)
}

func (e *InDoubtError) Unwrap() []error { return []error{ErrInDoubt, e.Err} }

// MakePlan decides the unit at the end of each file's journal, and then each
// file. It changes nothing. unreachable says, for participants that the caller
// could not lock, why.
func MakePlan(files []*File, unreachable map[Key]error) (*Plan, error) {
	p := &planner{byKey: map[Key]*File{}, units: map[wal.ID]*UnitPlan{}, unreachable: unreachable, plan: &Plan{}}
	for _, f := range files {
		for _, key := range append([]Key{f.Key}, f.Former...) {
			p.byKey[key] = f
		}
	}
	var missing []Missing
	for _, f := range files {
		m, err := p.planUnit(f)
		if err != nil {
			return nil, err
		}
		missing = append(missing, m...)
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	for _, f := range files {
		if err := p.planFile(f); err != nil {
			return nil, err
		}
	}
	return p.plan, nil
}

type planner struct {
	byKey       map[Key]*File
	units       map[wal.ID]*UnitPlan
	unreachable map[Key]error
	plan        *Plan
}

// planUnit decides the unit at the end of f's journal, where it has several
// participants and `state` does not say that it was settled.
func (p *planner) planUnit(f *File) ([]Missing, error) {
	if f.Journal.Trusted() || f.Journal.Empty() {
		return nil, nil
	}
	rec, err := lastAct(f.Journal)
	if err != nil {
		return nil, err
	}
	if rec == nil || len(rec.Participants) == 0 || rec.Kind == wal.KindAbort || settled(f.Journal, rec) {
		return nil, nil
	}
	if u := p.units[rec.Unit]; u != nil {
		u.Holders = append(u.Holders, f)
		return nil, nil
	}
	if missing := p.missing(rec, f); len(missing) > 0 {
		return missing, nil
	}
	u := &UnitPlan{Unit: rec.Unit, Record: rec, Holders: []*File{f}, Doubts: map[Key]error{}}
	status, err := p.unitStatus(u)
	if err != nil {
		return nil, err
	}
	u.Case = DecideUnit(status)
	p.units[rec.Unit] = u
	p.plan.Units = append(p.plan.Units, u)
	return nil, nil
}

func (p *planner) missing(rec *wal.Record, f *File) []Missing {
	var missing []Missing
	for _, part := range rec.Participants {
		if p.byKey[keyOf(part)] == nil && p.unreachable[keyOf(part)] == nil {
			missing = append(missing, Missing{part, f.movedWith(rec, part.Root)})
		}
	}
	return missing
}

// movedWith is where a directory is that stands to f's workspace as root did when
// rec was written.
func (f *File) movedWith(rec *wal.Record, root string) string {
	here, ok := strings.CutSuffix(f.Target, string(filepath.Separator)+filepath.FromSlash(f.Key.Path))
	if !ok {
		return ""
	}
	for _, own := range rec.Participants {
		if keyOf(own) != f.Key || own.Root == here {
			continue
		}
		if way, err := filepath.Rel(own.Root, root); err == nil {
			return filepath.Join(here, way)
		}
	}
	return ""
}

// errForgotten is why a journal has nothing to say of a unit.
var errForgotten = errors.New("its journal does not say any more whether it had it")

// unitStatus looks for the unit's record in the journal of every participant. A
// single journal that speaks against it decides, whether or not the others can
// be looked at, or can tell; a person's decision goes before that.
func (p *planner) unitStatus(u *UnitPlan) (Unit, error) {
	rec := u.Record
	status, contrary, err := p.decided(rec)
	if u.contrary = contrary; status != UnitUnreachable || err != nil {
		return status, err
	}
	status = UnitComplete
	for _, part := range rec.Participants {
		key := keyOf(part)
		f := p.byKey[key]
		if f == nil {
			status, u.Doubts[key] = UnitUnreachable, p.unreachable[key]
			continue
		}
		held, err := holds(f.Journal, part.LSN, rec.Unit)
		if err != nil {
			return 0, err
		}
		switch held {
		case UnitComplete:
		case UnitUnknown:
			status, u.Doubts[key] = max(status, held), errForgotten
		default:
			return held, nil
		}
	}
	if status == UnitComplete {
		return status, nil
	}
	if proven, err := p.proven(rec); err != nil || proven {
		return UnitProven, err
	}
	return status, nil
}

// holds tells whether a journal holds the record of unit at lsn.
func holds(j Journal, lsn wal.LSN, unit wal.ID) (Unit, error) {
	last := j.State().Last
	if lsn > last {
		return UnitMissing, nil
	}
	rec, err := j.Read(lsn)
	if errors.Is(err, wal.ErrNotFound) || err == nil && rec.Kind == wal.KindBegin {
		return dropped(j, lsn, unit)
	}
	if err != nil {
		return 0, err
	}
	if rec.Unit != unit || rec.Kind == wal.KindAbort {
		return UnitSuperseded, nil
	}
	if lsn == last {
		return UnitComplete, nil
	}
	next, err := j.Read(lsn + 1)
	if err != nil {
		return 0, err
	}
	if next.Kind == wal.KindAbort {
		return UnitAborted, nil
	}
	return UnitComplete, nil
}

// dropped tells what a journal says of a unit whose place in it is not there any more.
// That alone says nothing: the journal may never have had it, or may have lost it.
func dropped(j Journal, lsn wal.LSN, unit wal.ID) (Unit, error) {
	fact, known, err := j.Fate(unit, lsn)
	switch {
	case err != nil:
		return 0, err
	case !known:
		return UnitUnknown, nil
	case fact.Unit != unit:
		return UnitSuperseded, nil
	case fact.Outcome == wal.OutcomeDiscarded:
		return UnitAborted, nil
	}
	return UnitComplete, nil
}

// planFile decides what is to be done to f, given what became of its unit.
func (p *planner) planFile(f *File) error {
	newest, err := f.Newest()
	if err != nil {
		return err
	}
	if newest == nil {
		c := FileCase{"untracked", Nothing}
		switch {
		case !f.Journal.Empty() && f.Found.Doc != nil:
			c = FileCase{"begins-anew", Adopt} // its former journal was set aside
		case !f.Journal.Trusted():
			c.Action = Settle // cut off before its first record
		}
		p.plan.Files = append(p.plan.Files, FilePlan{File: f, Case: c})
		return nil
	}
	if u := p.units[newest.Unit]; u != nil && slices.Contains(u.Holders, f) {
		switch u.Case.Outcome {
		case InDoubt:
			newest, err = newestAt(f.Journal.Read, newest.LSN-1)
			p.plan.Files = append(p.plan.Files, FilePlan{File: f, Case: FileCase{u.Case.Name, Nothing}, Newest: newest, InDoubt: true})
			return err
		case Discarded:
			if newest, err = newestAt(f.Journal.Read, newest.LSN-1); err != nil {
				return err
			}
		case Committed: // the newest stands
		}
	}
	c, err := f.decide(newest)
	if err != nil {
		return err
	}
	p.plan.Files = append(p.plan.Files, FilePlan{File: f, Case: c, Newest: newest})
	return nil
}

// decide classifies what stands under the name. newest may be nil: the only
// record was discarded, so that the file was never tracked.
func (f *File) decide(newest *wal.Record) (FileCase, error) {
	if newest == nil {
		return FileCase{"never-committed", Settle}, nil
	}
	m := f.memory(newest)
	s, err := f.standing(newest, m)
	if err != nil {
		return FileCase{}, err
	}
	c := DecideFile(m, s, newest.Flags&wal.FlagLazy != 0 && !f.Journal.Known())
	if c.Action == Nothing && !f.Journal.Trusted() {
		c.Action = Settle
	}
	return c, nil
}

// settled tells whether `state` says that rec is in place, and may be believed:
// in the same boot always; after another boot where the name was durable then.
func settled(j Journal, rec *wal.Record) bool {
	return j.State().Applied >= rec.LSN && (j.Known() || Named(j.State(), rec))
}

// Named tells of a version that the file's name durably led to it, or to a later one, by
// the mark in `state`, and in the records, that says so. What its own flags say was
// meant, and may not have come to pass; but an edit that was adopted stood there, durably,
// before it was recorded.
func Named(st wal.State, rec *wal.Record) bool {
	return rec.LSN <= st.Named || stoodThere(rec)
}

// stoodThere tells of an edit that was adopted as it stood. What was there before jtx is
// one, too.
func stoodThere(rec *wal.Record) bool {
	const others = wal.FlagFound | wal.FlagNoDirSync
	return rec.Kind != wal.KindClash && rec.Flags&wal.FlagForeign != 0 && (rec.LSN == 1 || rec.Flags&others == 0)
}

func (f *File) memory(newest *wal.Record) Memory {
	switch {
	case settled(f.Journal, newest):
		return Settled
	case newest.Kind == wal.KindInPlace:
		return Overwriting
	case newest.Flags&wal.FlagBehind != 0:
		return Behind
	case f.Journal.Known():
		return Pending
	default:
		return Forgotten
	}
}

func (f *File) standing(newest *wal.Record, m Memory) (Standing, error) {
	now := f.Found.Version
	switch {
	case now == newest.After, m == Settled && !newest.After.Exists && f.Found.Blank(): // which is as good as no file
		return StandsNew, nil
	case m == Settled && f.Found.Err != nil:
		//lint:ignore nilerr that it is broken is the answer
		return StandsBroken, nil // as before it was mended, maybe
	case (m == Settled || m == Overwriting) && now == stoodBefore(newest):
		return StandsOld, nil
	case m == Pending || m == Forgotten || m == Behind:
		old, err := f.expected(newest)
		if err != nil || old {
			return StandsOld, err
		}
	}
	switch {
	case !now.Exists:
		return StandsAbsent, nil
	case f.Found.Doc != nil:
		return StandsOther, nil
	default:
		return StandsBroken, nil
	}
}

// expected tells whether what stands is one of the versions, or of the edits found
// then, that a file may lag at: from the one that is known to have been in place, or
// durably so after another boot, up to the newest. An older one was put there by
// somebody.
func (f *File) expected(newest *wal.Record) (bool, error) {
	recs, base, err := f.unplaced(newest)
	if err != nil {
		return false, err
	}
	now := f.Found.Version
	for _, rec := range recs {
		if now == rec.After || now == stoodBefore(rec) {
			return true, nil
		}
	}
	return base != nil && now == base.After, nil
}

func keyOf(p wal.Participant) Key { return Key{p.Workspace, p.Path} }

// Outcome is what stands under the name once the plan is carried out. It works
// on a plan that can't be, for lack of permission.
func (fp *FilePlan) Outcome() (Found, error) {
	switch fp.Case.Action {
	case Redo, SetAsideRedo:
		data, err := Render(fp.File.Journal.Read, fp.Newest.LSN, fp.File.Limits)
		if err != nil {
			return Found{}, err
		}
		return foundIs(trusted(data)), nil
	case Rebase:
		m, err := fp.merged()
		if err != nil || m.doc == fp.File.Found.Doc {
			return fp.File.Found, err
		}
		return foundIs(m.doc), nil
	case SetAside:
		return Found{}, &DamagedError{File: fp.File.Target, Rev: fp.Newest.Rev, Err: fp.File.Found.Err}
	default:
		return fp.File.Found, nil
	}
}

// Coming is the record of an edit made outside that carrying out the plan appends,
// without its LSN: of kind clash where it makes two revisions. It is nil where
// nothing is appended.
func (fp *FilePlan) Coming() (*wal.Record, error) {
	switch fp.Case.Action {
	case Adopt:
		return fp.File.Adoption(fp.Newest)
	case Rebase:
		m, err := fp.merged()
		return m.rec, err
	default:
		return nil, nil
	}
}

// merged is the outcome of the Rebase action. It is kept, since a caller that goes on
// from Outcome puts that in the place of what was found.
func (fp *FilePlan) merged() (merge, error) {
	if fp.merge == nil {
		m, err := fp.File.rebase(fp.Newest)
		if err != nil {
			return merge{}, err
		}
		fp.merge = &m
	}
	return *fp.merge, nil
}

// foundIs is what will be found where doc stands, nil for no file.
func foundIs(doc *jsonpatch.Document) Found {
	if doc == nil {
		return Found{}
	}
	return Found{Version: wal.VersionOf(doc.Bytes()), Data: doc.Bytes(), Doc: doc}
}
