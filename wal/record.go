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

	knownFlags = FlagForeign | FlagLazy | FlagNoDirSync | FlagFound | FlagBehind
)

// Participant is one file of a commit unit.
type Participant struct {
	Workspace ID
	Root      string // absolute root of that workspace when it was written; a hint
	Path      string // below Root, any bytes
	LSN       LSN    // of the unit's record in that file's journal
}

// Txn is one transaction of a record. Group commit puts several into one.
type Txn struct {
	ID      ID
	Time    time.Time // UTC, to the ns; the zero Time where none is known
	Actor   string
	Message string
	Patch   []byte // RFC 6902
}

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
	Unit    ID
	// Participants is empty for a unit of one file. Else it is every file of the
	// unit, this one included, in lock order.
	Participants  []Participant
	Txns          []Txn
	Before, After Version
	// Image is the file's bytes, in KindImage and KindInPlace only. It may be
	// empty only where After is.
	Image []byte
	// Prev is the CRC of the record before, 0 in the first; CRC is this one's.
	// Append and the readers set them.
	Prev, CRC uint32
}

// HasImage reports whether Image is the file's whole content, be it empty.
func (r *Record) HasImage() bool { return r.Kind == KindImage || r.Kind == KindInPlace }

// Size is about what the record takes in the journal, in bytes.
func (r *Record) Size() int64 { return r.sizeBound() }
