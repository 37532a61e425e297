package wal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/jtx-project/jtx/wal/fsys"
)

// LSN is the number of a record in one file's journal, from 1. Zero is before
// the first. It is also the index of tidwall/wal.
type LSN uint64

// ID is a ULID: of a unit, a transaction, or a workspace. Its text has 26
// characters and sorts by time of creation.
//
// It is 48 bits of ms since 1970 and 80 random ones, big-endian; the text is that number
// to the base 32 (https://github.com/ulid/spec). It is written and read here, since the
// library that does so draws and seeds at each start of the program.
type ID [16]byte

// digits are Crockford's: without I, L, O and U.
const (
	digits   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	idLength = 26
)

// String is the ULID's text, 26 characters.
func (id ID) String() string {
	text, _ := id.MarshalText()
	return string(text)
}

// MarshalText returns what String does.
func (id ID) MarshalText() ([]byte, error) {
	text := make([]byte, idLength)
	high, low := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for i := idLength - 1; i >= 0; i-- {
		text[i] = digits[low%32]
		low = low>>5 | high<<59
		high >>= 5
	}
	return text, nil
}

// UnmarshalText reads what [ParseID] does.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// Time is when id was made, to the ms.
func (id ID) Time() time.Time { return time.UnixMilli(id.milli()).UTC() }

func (id ID) milli() int64 { return int64(binary.BigEndian.Uint64(id[:8]) >> 16) }

// IsZero reports whether id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads the 26 characters of a ULID, in either case.
func ParseID(s string) (ID, error) {
	if len(s) != idLength {
		return ID{}, fmt.Errorf("id %q: it has %d characters, a ULID has %d", s, len(s), idLength)
	}
	var high, low uint64
	for i := range idLength {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		d := strings.IndexByte(digits, c)
		if d < 0 || i == 0 && d > 7 {
			return ID{}, fmt.Errorf("id %q: character %d is none of a ULID", s, i+1)
		}
		high, low = high<<5|low>>59, low<<5|uint64(d)
	}
	var id ID
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id, nil
}

// newest is the last ID that was made with the time of its ms: the next one of the same
// ms is greater, so that ids rise within a process.
var newest struct {
	sync.Mutex
	id ID
}

// NewID makes an ID that no other process has, above all that this one made.
func NewID() ID { return NewIDAt(time.Now()) }

// NewIDAt is NewID with the time of t, to the ms, in place of now.
func NewIDAt(t time.Time) ID {
	newest.Lock()
	defer newest.Unlock()
	for {
		id, err := idAfter(newest.id, t.UnixMilli())
		if err == nil {
			newest.id = id
			return id
		}
		time.Sleep(time.Millisecond)
		t = t.Add(time.Millisecond)
	}
}

var errIDsUsedUp = errors.New("no id is left in this ms")

// idAfter draws an id of a ms: above last, where that is of the same. What is drawn comes
// from the generator of the Go runtime, which the system seeds for each process.
func idAfter(last ID, milli int64) (id ID, err error) {
	high, low := uint16(rand.Uint32()), rand.Uint64()
	if last.milli() == milli {
		// 32 random bits further: so nobody guesses the next one from this one.
		step := uint64(rand.Uint32()) + 1
		high, low = binary.BigEndian.Uint16(last[6:8]), binary.BigEndian.Uint64(last[8:])
		if low += step; low < step {
			if high++; high == 0 {
				return id, errIDsUsedUp
			}
		}
	}
	binary.BigEndian.PutUint64(id[:8], uint64(milli)<<16|uint64(high))
	binary.BigEndian.PutUint64(id[8:], low)
	return id, nil
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
