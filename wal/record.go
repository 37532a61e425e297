package wal

import "time"

// Kind says what a record is for.
type Kind uint8

const (
	// KindPatch carries patches that turn Before into After.
	KindPatch Kind = 1 + iota
	// KindImage carries the patches too, and the whole bytes of After.
	KindImage
	// KindAbort takes back the record of the same unit that went before.
	KindAbort
	// KindInPlace precedes a write over the file's own bytes. Its image is what
	// is written, so that it can be written again.
	KindInPlace
	// KindNote changes no file.
	KindNote
	// KindIntent carries bytes that were found under the file's name and are to be
	// proposed to others before they count as a version. It makes no version.
	KindIntent
	// KindClash makes two revisions at once, so that nothing can come between them: an
	// edit from outside that was made beside a commit, whose text is Image, and then
	// After: the committed version again, or what the commit makes of the edit. Rev is
	// that of the second one. Each has a transaction of its own.
	KindClash
	// KindDecision is what a person decided of a unit that is in doubt: its fact. It
	// makes no version.
	KindDecision
	// KindBegin begins a generation whose earlier records were dropped or lost. It
	// carries the facts that others may still ask for, and makes no version. Its Rev
	// is that of the last one dropped.
	KindBegin

	lastKind = KindBegin
)

// Flags are bits that say more about a record.
type Flags uint16

const (
	// FlagForeign marks an edit that was made outside and adopted.
	FlagForeign Flags = 1 << iota
	// FlagLazy marks a commit at durability "none".
	FlagLazy
	// FlagNoDirSync marks a commit whose file names were not made durable before
	// it was acknowledged: levels "journal" and "none".
	FlagNoDirSync
	// FlagFound marks a record whose Before is what was found under the file's
	// name, and not the version that the record before made: damaged bytes that
	// were replaced, or an edit that was rebased.
	FlagFound
	// FlagBehind marks a commit that was acknowledged before its content was put in
	// place. It always goes with FlagNoDirSync. Whoever settles such a record has
	// made the file's name durable first, so that no older version comes back where
	// `state` says, in whatever boot, that it was applied.
	FlagBehind
	// FlagResumed marks the first records behind where a commit may have been cut off:
	// one of a unit whose other files hold its record, and this one not. Append sets it.
	FlagResumed
	// FlagRemade marks a record whose frame was made anew when a generation was built:
	// what follows it names the CRC of the former one. DropBefore sets it.
	FlagRemade
	// FlagClock marks a record that has Run, or Clock: one behind a version that a clock
	// had dated into the future. Encode sets it.
	FlagClock

	knownFlags = FlagForeign | FlagLazy | FlagNoDirSync | FlagFound | FlagBehind | FlagResumed | FlagRemade | FlagClock
)

// Participant is one file of a commit unit.
type Participant struct {
	Workspace ID
	Root      string // absolute root of that workspace when it was written; a hint
	Path      string // below Root, any bytes
	LSN       LSN    // of the unit's first record in that file's journal
	Count     uint64 // of the unit's records there, one behind the other; at least 1
}

// Txn is one transaction of a record. Group commit puts several into one.
type Txn struct {
	ID      ID
	Time    time.Time // UTC, to the ns; the zero Time where none is known
	Actor   string
	Message string
	Patch   []byte // RFC 6902
	// RequestID is the client's own name for what it asked for, so that it can ask
	// what became of it. At most [MaxRequestID] bytes; empty where it gave none.
	RequestID string
	// Splices turn the text before the transaction into the text behind it, by rising
	// offset, none inside another. There are none where a plain rendering of Patch
	// gives that text.
	Splices []Splice
	Origins []Origin // where the change is from, if it isn't new
}

// MaxRequestID is how long a client's request id may be, in bytes.
const MaxRequestID = 128

// Splice replaces Length bytes at Offset of the text before by Bytes.
type Splice struct {
	Offset, Length int64
	Bytes          []byte
}

// Origin is where a transaction's change is from.
type Origin struct {
	Kind OriginKind
	Txn  ID     // that it takes back, or that made what was moved or copied
	Path string // of the file that was moved or copied, below the same workspace's root
	Rev  uint64 // the version of it; 0 where it has none
}

// OriginKind says how a change comes from its origin. One that isn't known is kept,
// and says nothing.
type OriginKind uint8

const (
	// OriginUndone is a transaction that is taken back.
	OriginUndone OriginKind = 1 + iota
	// OriginMoved is the file that had this one's history before.
	OriginMoved
	// OriginCopied is the file whose content was copied.
	OriginCopied
	// OriginLeft is, of a version without a file, the name that it was moved to.
	OriginLeft
)

// Fact is what became of a unit of several files whose record a journal had.
type Fact struct {
	Unit    ID
	LSN     LSN // of its record in this journal; 0 where it never had one
	Outcome Outcome
}

// Outcome is what became of a unit.
type Outcome uint8

const (
	// OutcomeCommitted: the unit stands.
	OutcomeCommitted Outcome = 1 + iota
	// OutcomeDiscarded: it was taken back, in each of its files.
	OutcomeDiscarded
)

// Record is the content of a frame.
type Record struct {
	Kind  Kind
	Flags Flags
	// LSN is set by Append.
	LSN LSN
	// Rev is the file's revision after this record.
	Rev uint64
	// Durable is set by Append: when this record was written, every record up to
	// it was known to be durable.
	Durable LSN
	// Named is set by Append: when this record was written, the file's name was known
	// to lead durably to the version of this record, or to a later one. 0 is none.
	Named LSN
	// Staged is the inode of the file that was staged with After, before it got the
	// file's name. 0 where there is none, or none that is known.
	Staged uint64
	Unit   ID
	// Participants is empty for a unit of one file. Else it is every file of the
	// unit, this one included, in lock order.
	Participants  []Participant
	Txns          []Txn
	Before, After Version
	// Clock is what the machine's clock said when the record was made, where its Time has
	// to be another one; see [ByClock]. Zero where Time says it.
	Clock time.Time
	// Run is how often the clock was found to have been set back between two records,
	// from the journal's first up to this one: within a run, [Record.Made] rises. Append
	// sets it.
	Run uint16
	// Image is bytes of the file: those of After in KindImage and KindInPlace, where
	// it may be empty only if After is, and those that were found in KindIntent, which
	// are Before, and KindClash. No other kind has any.
	Image []byte
	// Facts are of units whose records this journal does not hold any more
	// (KindBegin), or of the one that was decided (KindDecision).
	Facts []Fact
	// UnknownBelow, of KindBegin, tells that the journal before was lost, in part at
	// least: of what is below, only Facts are known. 0 where all of it was whole when
	// it was dropped.
	UnknownBelow LSN
	// Prev is the CRC of the record before, 0 in the first; CRC is this one's.
	// Append and the readers set them.
	Prev, CRC uint32
}

// HasImage reports whether Image is the whole content of After, be it empty.
func (r *Record) HasImage() bool { return r.Kind == KindImage || r.Kind == KindInPlace }

// StandsAlone reports whether After can be derived from the record alone.
func (r *Record) StandsAlone() bool { return r.HasImage() || r.Kind == KindClash }

// MakesVersion reports whether the file has After once the record is committed. Such
// a record can be taken back by an abort; the others leave the file as it is.
func (r *Record) MakesVersion() bool {
	return r.HasImage() || r.Kind == KindPatch || r.Kind == KindClash
}

// Size is about what the record takes in the journal, in bytes.
func (r *Record) Size() int64 { return r.sizeBound() }
