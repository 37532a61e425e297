package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/wal/fsys"
)

// State is what hashes can't say: see the package documentation.
type State struct {
	Boot    [16]byte // the boot it was settled in
	Pending bool     // a commit is in progress, or was cut short
	InPlace bool     // and it writes over the file's own bytes
	Gen     uint32   // the journal's directory: 0 is "wal", N is "wal.N"
	// WrittenIn is the boot in which it was last written, settled or pending.
	WrittenIn [16]byte
	Self      Identity // the file that the state itself is in, when it was written
	Last      LSN      // the last record
	Durable   LSN      // every record up to it is durable
	Applied   LSN      // the last record whose result was in the file
	// Resumed is how far records may take the LSN of a unit that was cut off: they get
	// FlagResumed.
	Resumed LSN
	Named   LSN    // the last record whose version the file's name durably led to, it or a later one
	Rev     uint64 // of the last record
	Group   LSN    // names the tail segment's sub-directory; 0 where it is in none
	Segment LSN    // the tail segment's first LSN
	Offset  int64  // its size after the last record, in bytes
	CRC     uint32 // of the last record
	Image   LSN    // the newest record with an image, of those that weren't aborted
	// SinceImage is the size of the entries behind Image, in bytes.
	SinceImage int64
	File       FileID  // what the applied record left
	Content    Version // and its bytes
	// Strict is what who settled knew of Content besides: that it is strict JSON,
	// without a comment. It is a matter of the bytes, and holds in any boot. False
	// says nothing.
	Strict   bool
	Written  int64  // when this state was written, in ns since 1970
	Time     int64  // no record is dated later, in ns since 1970
	LastSize int64  // of the last entry, in bytes, with its length; 0 where that isn't known
	Seq      uint64 // of two that are whole in a file, the greater one counts
	// Mode has the permissions of the file when it was last there, for when it comes back;
	// 0 where they aren't known.
	Mode fs.FileMode
	Run  uint16 // of the last record
}

// Identity tells the file that holds a state from a copy of it.
type Identity = fsys.Identity

const (
	// stateName is the file's lock: of its 1,024 bytes the first 512 are the holder's
	// text, and two places for the state follow. They are written in turn, so that a
	// write that ends in its midst leaves the state that was there before.
	stateName   = "lock"
	stateOffset = 512
	lockSize    = stateOffset + stateSlots

	stateMagic   = "jtxs"
	stateVersion = 1
	stateSize    = 256
	stateSlots   = 2 * stateSize
	stateCRC     = stateSize - 4
)

const (
	statePending = 1 << iota
	stateInPlace
	stateExists // Content exists
	stateStrict

	stateFlags = statePending | stateInPlace | stateExists | stateStrict
)

// encode makes the 256 bytes. Little-endian, eight bytes to a row:
//
//	  0  "jtxs", version (2), flags (2)   24  gen (4), crc of the last record (4)
//	  8  boot, 16 bytes
//	 32  last          40  durable        48  applied       56  rev
//	 64  group         72  segment        80  offset        88  image
//	 96  since image  104  file: dev     112  ino          120  size
//	128  mtime        136  ctime         144  content: size
//	152  its hash    160  written        168  time         176  size of the last entry
//	184  boot it was written in, 16 bytes    200  own dev     208  own ino
//	216  own birth   224  named      232  resumed     240  sequence number
//	248  mode (2), run (2)           252  CRC32C of the 252 bytes before
//
// Flags: 1 pending, 2 in place, 4 the content exists, 8 it is strict JSON.
func (s *State) encode() (b [stateSize]byte) {
	le := binary.LittleEndian
	copy(b[:], stateMagic)
	le.PutUint16(b[4:], stateVersion)
	le.PutUint16(b[6:], s.flags())
	copy(b[8:], s.Boot[:])
	le.PutUint32(b[24:], s.Gen)
	le.PutUint32(b[28:], s.CRC)
	for i, v := range []uint64{
		uint64(s.Last), uint64(s.Durable), uint64(s.Applied), s.Rev,
		uint64(s.Group), uint64(s.Segment), uint64(s.Offset), uint64(s.Image), uint64(s.SinceImage),
		s.File.Dev, s.File.Ino, uint64(s.File.Size), uint64(s.File.Mtime), uint64(s.File.Ctime),
		uint64(s.Content.Size),
	} {
		le.PutUint64(b[32+8*i:], v)
	}
	copy(b[152:], s.Content.Hash[:])
	le.PutUint64(b[160:], uint64(s.Written))
	le.PutUint64(b[168:], uint64(s.Time))
	le.PutUint64(b[176:], uint64(s.LastSize))
	copy(b[184:], s.WrittenIn[:])
	le.PutUint64(b[200:], s.Self.Dev)
	le.PutUint64(b[208:], s.Self.Ino)
	le.PutUint64(b[216:], uint64(s.Self.Birth))
	le.PutUint64(b[224:], uint64(s.Named))
	le.PutUint64(b[232:], uint64(s.Resumed))
	le.PutUint64(b[240:], s.Seq)
	le.PutUint16(b[248:], uint16(s.Mode.Perm()))
	le.PutUint16(b[250:], s.Run)
	le.PutUint32(b[stateCRC:], crc32.Checksum(b[:stateCRC], castagnoli))
	return b
}

func (s *State) flags() (f uint16) {
	if s.Pending {
		f |= statePending
	}
	if s.InPlace {
		f |= stateInPlace
	}
	if s.Content.Exists {
		f |= stateExists
	}
	if s.Strict {
		f |= stateStrict
	}
	return f
}

// decodeState reports ok false for bytes that are not a whole state. The version's
// place and the checksum's stay in every version, so that a newer one is told
// from a torn one.
func decodeState(b []byte) (s State, ok bool, err error) {
	le := binary.LittleEndian
	if len(b) != stateSize || string(b[:4]) != stateMagic ||
		le.Uint32(b[stateCRC:]) != crc32.Checksum(b[:stateCRC], castagnoli) {
		return State{}, false, nil
	}
	flags := le.Uint16(b[6:])
	if v := le.Uint16(b[4:]); v != stateVersion || flags&^stateFlags != 0 {
		return State{}, false, fmt.Errorf("%w: state version %d, flags %04x", ErrVersion, v, flags)
	}
	u := func(at int) uint64 { return le.Uint64(b[at:]) }
	i := func(at int) int64 { return int64(u(at)) }
	s = State{
		Boot: [16]byte(b[8:24]), Pending: flags&statePending != 0, InPlace: flags&stateInPlace != 0,
		Gen: le.Uint32(b[24:]), CRC: le.Uint32(b[28:]),
		Last: LSN(u(32)), Durable: LSN(u(40)), Applied: LSN(u(48)), Rev: u(56),
		Group: LSN(u(64)), Segment: LSN(u(72)), Offset: i(80), Image: LSN(u(88)), SinceImage: i(96),
		File:    FileID{Dev: u(104), Ino: u(112), Size: i(120), Mtime: i(128), Ctime: i(136)},
		Content: Version{Exists: flags&stateExists != 0, Size: i(144), Hash: Hash(b[152:160])},
		Strict:  flags&stateStrict != 0,
		Written: i(160), Time: i(168), LastSize: i(176),
		WrittenIn: [16]byte(b[184:200]), Self: Identity{Dev: u(200), Ino: u(208), Birth: i(216)}, Named: LSN(u(224)), Resumed: LSN(u(232)),
		Seq:  u(240),
		Mode: fs.FileMode(le.Uint16(b[248:])),
		Run:  le.Uint16(b[250:]),
	}
	if s.Mode&^fs.ModePerm != 0 {
		return State{}, false, fmt.Errorf("%w: state with mode %o", ErrVersion, s.Mode)
	}
	return s, true, nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// stateReads is how often a state that doesn't check out is read again: a reader
// without a lock may have met a write half way.
const stateReads = 5

// StatePath is the file that holds the state of the file directory dir, which is its
// lock. Each writing of it changes the file's times.
func StatePath(dir string) string { return filepath.Join(dir, stateName) }

// ReadState reads dir's state without a lock: the one that was there before where it is
// just being written. A missing or torn one is (zero, false, nil); a whole one of a newer
// version is ErrVersion.
func ReadState(fsy fsys.FS, dir string) (State, bool, error) {
	f, err := fsy.OpenFile(StatePath(dir), os.O_RDONLY|careful, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, false, nil
	}
	if err != nil {
		return State{}, false, err
	}
	defer f.Close()
	self, err := identify(fsy, f)
	if err != nil {
		return State{}, false, err
	}
	var before []byte
	for try := 1; ; try++ {
		s, ok, raw, err := readState(f, self)
		// Nobody is writing what is the same a while later: it was torn by a crash.
		same := try > 1 && bytes.Equal(raw, before) || allZero(raw)
		if ok || err != nil || same || try == stateReads {
			return s, ok, err
		}
		before = raw
		time.Sleep(time.Duration(try) * 50 * time.Microsecond)
	}
}

// identify is of the file that a state is in, which must be a regular one.
func identify(fsy fsys.FS, f fsys.File) (Identity, error) {
	info, err := f.Stat()
	if err != nil {
		return Identity{}, err
	}
	if !info.Mode().IsRegular() {
		return Identity{}, &CorruptError{Path: f.Name(), Reason: "not a regular file"}
	}
	return fsy.Identify(f)
}

// readState reads an open state once, and gives its bytes too: of both its places where
// neither is whole. One that names another file than the one it is in was copied with it:
// it is taken for that of another boot.
func readState(f fsys.File, self Identity) (s State, ok bool, raw []byte, err error) {
	buf := make([]byte, stateSlots)
	n, err := f.ReadAt(buf, stateOffset)
	if err != nil && !errors.Is(err, io.EOF) {
		return State{}, false, nil, err
	}
	s, ok, raw, err = newerState(buf[:n])
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Name(), err)
	}
	if !s.Self.Is(self) {
		s.Boot, s.WrittenIn = [16]byte{}, [16]byte{}
	}
	return s, ok, raw, err
}

// newerState is the newer state of those that are whole in what was read of their places.
func newerState(buf []byte) (s State, ok bool, raw []byte, err error) {
	raw = buf
	for at := 0; at < len(buf); at += stateSize {
		b := buf[at:min(at+stateSize, len(buf))]
		one, whole, err := decodeState(b)
		if err != nil {
			return State{}, false, buf, err
		}
		if whole && (!ok || one.Seq > s.Seq) {
			s, ok, raw = one, true, b
		}
	}
	return s, ok, raw, nil
}

// slot is where a state is written.
func (s *State) slot() int64 { return stateOffset + int64(s.Seq%2)*stateSize }
