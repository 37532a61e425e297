package recovery

// Unit is what the journals of a unit's participants say about its record.
type Unit uint8

const (
	// UnitSingle has one participant: its record stands, so it is committed.
	UnitSingle Unit = iota
	// UnitComplete: every participant holds the record, none an abort of it.
	UnitComplete
	// UnitMissing: the journal of a participant ends before its record.
	UnitMissing
	// UnitSuperseded: another unit's record stands at a participant's LSN.
	UnitSuperseded
	// UnitAborted: a participant holds an abort of it.
	UnitAborted
	// UnitUnreachable: a participant can't be looked at, and none of those that
	// can contradicts the unit.
	UnitUnreachable
	// UnitUnknown: a participant's journal has dropped what it had there, or lost it,
	// without a word of the unit, and none of the others contradicts it.
	UnitUnknown
	// UnitProven: as UnitUnreachable, but what was staged for it stands under a name.
	UnitProven
	// UnitDecided: a person has decided that it is committed. A decision that it is
	// discarded goes with an abort.
	UnitDecided
	// UnitContrary: persons have decided it, one this way and one that.
	UnitContrary
	numUnits
)

// Outcome is what becomes of a unit.
type Outcome uint8

const (
	// Committed: the unit is carried forward to every participant's file.
	Committed Outcome = iota
	// Discarded: an abort record follows the unit's record in each journal that
	// holds it.
	Discarded
	// InDoubt: nothing is done. It is never guessed.
	InDoubt
)

// UnitCase is a row of the first table.
type UnitCase struct {
	Name    string
	Outcome Outcome
}

func (o Outcome) String() string { return [...]string{"committed", "discarded", "in doubt"}[o] }

var unitTable = [numUnits]UnitCase{
	UnitSingle:      {"unit-single", Committed},
	UnitComplete:    {"unit-complete", Committed},
	UnitMissing:     {"unit-missing", Discarded},
	UnitSuperseded:  {"unit-superseded", Discarded},
	UnitAborted:     {"unit-aborted", Discarded},
	UnitUnreachable: {"unit-in-doubt", InDoubt},
	UnitUnknown:     {"unit-unknown", InDoubt},
	UnitProven:      {"unit-proven", Committed},
	UnitDecided:     {"unit-decided", Committed},
	UnitContrary:    {"unit-decided-contrarily", InDoubt},
}

// DecideUnit looks up the row of u.
func DecideUnit(u Unit) UnitCase { return unitTable[u] }

// Memory is what `state` lets us believe about the newest committed version.
type Memory uint8

const (
	// Settled: this boot saw that version put in place.
	Settled Memory = iota
	// Pending: this boot began to put it in place and was cut off.
	Pending
	// Forgotten: another boot wrote `state`, or it is gone. Only hashes tell.
	Forgotten
	// Overwriting: as Pending or Forgotten, but the version is being written in
	// place, so that the file may hold any mixture of bytes.
	Overwriting
	// Behind: that version was acknowledged before it was put in place, and `state`
	// does not say yet that it was. Several versions may be behind the one that is
	// in place.
	Behind
	numMemories
)

// Standing is what stands under the file's name, compared with the newest
// committed version.
type Standing uint8

const (
	// StandsNew: the version's own content.
	StandsNew Standing = iota
	// StandsOld: the content before it, or, where the file may lag, a version
	// between the one that is known to have been in place and the newest.
	StandsOld
	// StandsAbsent: no file, where neither the version nor the one before it
	// says so.
	StandsAbsent
	// StandsOther: another valid document.
	StandsOther
	// StandsBroken: bytes that are not a document.
	StandsBroken
	numStandings
)

// Action is what is done to the file.
type Action uint8

const (
	// Nothing is to be done.
	Nothing Action = iota
	// Settle writes `state`: the version is in place.
	Settle
	// Redo puts the version in place.
	Redo
	// Adopt records what stands there as a version made outside.
	Adopt
	// SetAside keeps a copy of what stands there and reports damage. The file
	// is left as it is.
	SetAside
	// SetAsideRedo keeps a copy of what stands there and puts the version in
	// place.
	SetAsideRedo
	// Rebase applies what was committed onto the text that another program saved,
	// records that as a version made outside, and puts it in place. Where the two
	// clash it records what stands there as a version, and the committed one again,
	// and puts that in place.
	Rebase
	numActions
)

var actionNames = [numActions]string{"nothing", "settle", "redo", "adopt", "set aside", "set aside, redo", "rebase"}

func (a Action) String() string { return actionNames[a] }

// FileCase is a row of the second table.
type FileCase struct {
	Name   string
	Action Action
}

var fileTable = [numMemories][numStandings]FileCase{
	Settled: {
		StandsNew:    {"clean", Nothing},
		StandsOld:    {"reverted-outside", Adopt},
		StandsAbsent: {"deleted-outside", Adopt},
		StandsOther:  {"edited-outside", Adopt},
		StandsBroken: {"damaged", SetAside},
	},
	Pending: {
		StandsNew:    {"renamed-not-settled", Settle},
		StandsOld:    {"not-renamed", Redo},
		StandsAbsent: {"deleted-during-commit", Adopt},
		StandsOther:  {"edited-during-commit", Rebase},
		StandsBroken: {"damaged-during-commit", SetAside},
	},
	Forgotten: {
		StandsNew:    {"in-place-after-boot", Settle},
		StandsOld:    {"rename-lost", Redo},
		StandsAbsent: {"deleted-before-boot", Adopt},
		StandsOther:  {"edited-before-boot", Rebase},
		StandsBroken: {"damaged-before-boot", SetAside},
	},
	Overwriting: {
		StandsNew:    {"overwritten", Redo}, // the bytes may be in the page cache only
		StandsOld:    {"not-overwritten", Redo},
		StandsAbsent: {"deleted-while-overwriting", SetAsideRedo},
		StandsOther:  {"half-overwritten", SetAsideRedo},
		StandsBroken: {"half-overwritten-broken", SetAsideRedo},
	},
	Behind: {
		StandsNew:    {"caught-up", Settle},
		StandsOld:    {"behind", Redo},
		StandsAbsent: {"deleted-while-behind", Adopt},
		StandsOther:  {"edited-while-behind", Rebase},
		StandsBroken: {"damaged-while-behind", SetAside},
	},
}

// lostWrite is the one exception to the table: a version written at durability
// level none was never synced, so that after another boot broken bytes are what
// that level allows for, and not damage.
var lostWrite = FileCase{"write-lost", SetAsideRedo}

// DecideFile looks up the case of a file. lazy tells that the newest committed
// version was written at durability level none, in another boot.
func DecideFile(m Memory, s Standing, lazy bool) FileCase {
	if lazy && (m == Forgotten || m == Behind) && s == StandsBroken {
		return lostWrite
	}
	return fileTable[m][s]
}
