package wal

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/oklog/ulid/v2"

	"github.com/jtx-project/jtx/wal/fsys"
)

// LSN is the number of a record in one file's journal, from 1. Zero is before
// the first. It is also the index of tidwall/wal.
type LSN uint64

// ID is a ULID: of a unit, a transaction, or a workspace. Its text has 26
// characters and sorts by time of creation.
type ID [16]byte

// String is the ULID's text, 26 characters.
func (id ID) String() string { return ulid.ULID(id).String() }

// MarshalText returns what String does.
func (id ID) MarshalText() ([]byte, error) { return ulid.ULID(id).MarshalText() }

// UnmarshalText reads what [ParseID] does.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// Time is when id was made, to the ms.
func (id ID) Time() time.Time { return ulid.Time(ulid.ULID(id).Time()).UTC() }

// IsZero reports whether id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads the 26 characters of a ULID, in either case.
func ParseID(s string) (ID, error) {
	u, err := ulid.ParseStrict(s)
	if err != nil {
		return ID{}, fmt.Errorf("id %q: %w", s, err)
	}
	return ID(u), nil
}

// entropy makes ids that rise within a process even inside one millisecond. It
// draws from the operating system: processes that start together must differ.
var entropy = struct {
	sync.Mutex
	source *ulid.MonotonicEntropy
}{source: ulid.Monotonic(rand.Reader, 0)}

// NewID makes an ID that no other process has, above all that this one made.
func NewID() ID { return NewIDAt(time.Now()) }

// NewIDAt is NewID with the time of t, to the ms, in place of now.
func NewIDAt(t time.Time) ID {
	entropy.Lock()
	defer entropy.Unlock()
	for {
		// An error means that the random part has overflowed within this
		// millisecond; the next one draws afresh. rand.Reader never fails.
		if u, err := ulid.New(ulid.Timestamp(t), entropy.source); err == nil {
			return ID(u)
		}
		time.Sleep(time.Millisecond)
		t = t.Add(time.Millisecond)
	}
}

// Hash is the XXH64 of bytes, big-endian. It is always compared together with the
// length, as a [Version]: that another content of the same length has the same hash by
// accident is as likely as 64 coins falling alike. So it tells versions apart, and
// finds rot; it is no protection against someone who builds a collision.
type Hash [8]byte

// Sum is the Hash of b.
func Sum(b []byte) (h Hash) {
	binary.BigEndian.PutUint64(h[:], xxhash.Sum64(b))
	return h
}

// String is the hash in 16 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns what String does.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("hash %q: want %d hexadecimal digits", text, 2*len(h))
	}
	copy(h[:], b)
	return nil
}

// Version is a file's content. The zero Version is a file that doesn't exist.
type Version struct {
	Exists bool  `json:"exists"`
	Size   int64 `json:"size"` // bytes
	Hash   Hash  `json:"hash"`
}

// VersionOf is the Version of an existing file with these bytes.
func VersionOf(b []byte) Version {
	return Version{Exists: true, Size: int64(len(b)), Hash: Sum(b)}
}

// VersionFrom is the Version of an existing file whose bytes r gives, to its end.
// size is about how many that are.
func VersionFrom(r io.Reader, size int64) (Version, error) {
	digest := xxhash.New()
	n, err := io.CopyBuffer(digest, struct{ io.Reader }{r}, make([]byte, min(max(size, 0)+1, 64<<10)))
	return Version{Exists: true, Size: n, Hash: Hash(digest.Sum(nil))}, err
}

// FileID tells whether a file on disk is still the one that was written.
type FileID = fsys.FileID

// FileIDOf reads the identity out of what Stat returned. Nil gives the zero FileID.
func FileIDOf(info fs.FileInfo) FileID { return fsys.FileIDOf(info) }
