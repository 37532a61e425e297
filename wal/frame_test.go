package wal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files of format 1 anew; not after 0.1.0")

// samples are one record of each kind, with every field in use somewhere.
func samples() map[string]*Record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	one, two := ID{15: 1}, ID{15: 2}
	txn := Txn{ID: one, Time: at, Actor: "ann@box", Message: "why", Patch: []byte(`[{"op":"remove","path":"/a"}]`)}
	before, after := VersionOf([]byte(`{"a":1}`)), VersionOf([]byte(`{}`))
	return map[string]*Record{
		"patch": {Kind: KindPatch, LSN: 3, Durable: 2, Rev: 2, Unit: two, Txns: []Txn{txn}, Before: before, After: after, Prev: 0xdeadbeef},
		"image": {Kind: KindImage, Flags: FlagForeign, LSN: 1, Rev: 1, Unit: two, Txns: []Txn{txn, {ID: two}}, After: after, Image: []byte(`{}`)},
		"abort": {Kind: KindAbort, LSN: 1 << 40, Durable: 1, Rev: 300, Unit: two, Before: after, After: before},
		"inplace": {
			Kind: KindInPlace, Flags: FlagLazy, LSN: 2, Durable: 1, Rev: 2, Unit: two, Before: before, After: after, Image: []byte(`{}`),
		},
		"note": {Kind: KindNote, LSN: 128, Durable: 127, Unit: one, Txns: []Txn{{ID: one, Message: "only said"}}},
		"unit": {
			Kind: KindPatch, LSN: 5, Durable: 4, Rev: 5, Unit: one, Txns: []Txn{txn}, Before: before,
			Participants: []Participant{
				{Workspace: one, Root: "/w", Path: "a b.json", LSN: 5, Count: 1},
				{Workspace: two, Root: "/v\xff", Path: "c/d.json", LSN: 70000, Count: 300},
			},
		},
		"splices": {
			Kind: KindPatch, LSN: 9, Durable: 8, Named: 4, Staged: 1 << 33, Rev: 9, Unit: two, Before: before, After: after,
			Txns: []Txn{{
				ID: two, Time: at, Patch: []byte("[]"), RequestID: "job-7",
				Splices: []Splice{{Offset: 1, Length: 5}, {Offset: 6, Bytes: []byte("\n")}},
				Origins: []Origin{{Kind: OriginUndone, Txn: one}, {Kind: OriginMoved, Txn: one, Path: "b.json", Rev: 3}},
			}},
		},
		"intent": {Kind: KindIntent, LSN: 4, Durable: 3, Named: 3, Rev: 4, Unit: one, Before: before, Image: []byte(`{"a":1}`)},
		"clash": {
			Kind: KindClash, LSN: 4, Durable: 3, Named: 1, Rev: 6, Unit: one, Txns: []Txn{txn, {ID: two, Time: at.Add(1), Message: "again", Splices: []Splice{{Offset: 5, Length: 1, Bytes: []byte("2")}}}},
			Before: before, After: after, Image: []byte(`{"a":1}`),
		},
		"decision": {
			Kind: KindDecision, LSN: 4, Durable: 3, Rev: 4, Unit: two, Txns: []Txn{{ID: two, Time: at, Actor: "ann"}},
			Facts: []Fact{{Unit: one, LSN: 3, Outcome: OutcomeCommitted}},
		},
		"begin": {
			Kind: KindBegin, LSN: 1<<20 + 7, Durable: 1<<20 + 6, Rev: 6, Unit: two, UnknownBelow: 1<<20 + 7,
			Facts: []Fact{{Unit: one, LSN: 3, Outcome: OutcomeCommitted}, {Unit: two, LSN: 5, Outcome: OutcomeDiscarded}},
		},
	}
}

func TestGoldenFrames(t *testing.T) {
	for name, r := range samples() {
		frame, err := r.Encode()
		require.NoError(t, err, name)
		golden(t, name+".frame", frame)
		got, err := DecodeRecord(frame)
		require.NoError(t, err)
		r.CRC = got.CRC
		require.Equal(t, r, got)
	}
}

func TestGoldenState(t *testing.T) {
	s := sampleState()
	b := s.encode()
	golden(t, "state", b[:])
}

// golden compares with testdata/format1: 16 bytes of hex to a line.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var text strings.Builder
	for i := 0; i < len(got); i += 16 {
		text.WriteString(hex.EncodeToString(got[i:min(i+16, len(got))]) + "\n")
	}
	path := filepath.Join("testdata", "format1", name+".hex")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String(), "%s: format 1 has changed", name)
}

func TestOneFieldCommitIsSmall(t *testing.T) {
	frame, err := samples()["patch"].Encode()
	require.NoError(t, err)
	require.LessOrEqual(t, entrySize(len(frame)), int64(200))
}

// reseal gives a frame whose bytes were changed the checksum that fits.
func reseal(frame []byte) []byte {
	binary.LittleEndian.PutUint32(frame[offLength:], uint32(len(frame)-headerSize))
	binary.LittleEndian.PutUint32(frame[offCRC:], frameCRC(frame))
	return frame
}

func TestNewerFormatsHaveTheirOwnError(t *testing.T) {
	for name, change := range map[string]func(b []byte){
		"version": func(b []byte) { b[offVersion] = 2 },
		"kind":    func(b []byte) { b[offKind] = 77 },
		"kind 0":  func(b []byte) { b[offKind] = 0 },
		"flags":   func(b []byte) { b[offFlags+1] = 0x80 },
	} {
		t.Run(name, func(t *testing.T) {
			frame, err := samples()["patch"].Encode()
			require.NoError(t, err)
			change(frame)
			_, err = DecodeRecord(frame)
			require.ErrorIs(t, err, ErrCorrupt, "without the right checksum it is damage")
			_, err = DecodeRecord(reseal(frame))
			require.ErrorIs(t, err, ErrVersion)
			require.NotErrorIs(t, err, ErrCorrupt)

			dir, _ := buildOne(t, 2, 2)
			mutate(t, tailSegment(t, dir), func(b []byte) []byte {
				return append(binary.AppendUvarint(b, uint64(len(frame))), frame...)
			})
			_, err = scanAll(dir)
			require.ErrorIs(t, err, ErrVersion)
			_, err = Open(dir, bigSegments())
			require.ErrorIs(t, err, ErrVersion)
			_, err = Inspect(nil, dir)
			require.ErrorIs(t, err, ErrVersion)
		})
	}
}

func TestPayloadsThatBreakARule(t *testing.T) {
	frame, err := samples()["note"].Encode()
	require.NoError(t, err)
	payload := frame[headerSize:]
	for name, change := range map[string][]byte{
		"empty":                nil,
		"trailing byte":        append(payload[:len(payload):len(payload)], 0),
		"long form of rev":     append([]byte{0x80, 0}, payload[1:]...),
		"lag 0":                append([]byte{payload[0], 0}, payload[2:]...),
		"lag above lsn":        append([]byte{payload[0], 0x81, 1}, payload[2:]...),
		"version neither":      append(append([]byte{}, payload[:5]...), append([]byte{2}, payload[6:]...)...),
		"named 0":              append([]byte{payload[0], payload[1], 0}, payload[3:]...),
		"named above lsn":      append([]byte{payload[0], payload[1], 0x81, 1}, payload[4:]...),
		"many participants":    append(append([]byte{}, payload[:7]...), 0xff, 0xff, 0xff, 0xff, 0x0f),
		"huge actor":           append(append([]byte{}, payload[:9+24]...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"number without end":   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"negative size before": append([]byte{0, 1, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, make([]byte, 30)...),
	} {
		bad := reseal(append(append([]byte{}, frame[:headerSize]...), change...))
		_, err := DecodeRecord(bad)
		require.ErrorIs(t, err, ErrCorrupt, name)
	}
}

func TestRecordsThatMayNotBeWritten(t *testing.T) {
	for name, change := range map[string]func(r *Record){
		"no kind":           func(r *Record) { r.Kind = 0 },
		"unknown flag":      func(r *Record) { r.Flags = 1 << 15 },
		"absent with":       func(r *Record) { r.Before = Version{Size: 1} },
		"negative":          func(r *Record) { r.After = Version{Exists: true, Size: -1} },
		"image in patch":    func(r *Record) { r.Image = []byte{1} },
		"image without":     func(r *Record) { r.Kind = KindImage },
		"time":              func(r *Record) { r.Txns[0].Time = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"lsn 0":             func(r *Record) { r.LSN = 0 },
		"durable too far":   func(r *Record) { r.Durable = r.LSN },
		"named too far":     func(r *Record) { r.Named = r.LSN },
		"no count":          func(r *Record) { r.Participants = []Participant{{LSN: 1}} },
		"long request":      func(r *Record) { r.Txns[0].RequestID = strings.Repeat("x", MaxRequestID+1) },
		"splices cross":     func(r *Record) { r.Txns[0].Splices = []Splice{{Offset: 3, Length: 2}, {Offset: 4}} },
		"splice negative":   func(r *Record) { r.Txns[0].Splices = []Splice{{Offset: 3, Length: -1}} },
		"splice too far":    func(r *Record) { r.Txns[0].Splices = []Splice{{Offset: math.MaxInt64, Length: 1}} },
		"origin of none":    func(r *Record) { r.Txns[0].Origins = []Origin{{}} },
		"facts in patch":    func(r *Record) { r.Facts = []Fact{{Outcome: OutcomeCommitted}} },
		"unknown outcome":   func(r *Record) { r.Kind, r.Facts = KindBegin, []Fact{{}} },
		"unknown below":     func(r *Record) { r.UnknownBelow = 1 },
		"decides nothing":   func(r *Record) { r.Kind = KindDecision },
		"found too short":   func(r *Record) { r.Kind, r.Image = KindIntent, []byte{1} },
		"a clash of one":    func(r *Record) { r.Kind, r.Image, r.Txns = KindClash, []byte{1}, make([]Txn, 1) },
		"nothing was found": func(r *Record) { r.Kind, r.Txns = KindClash, make([]Txn, 2) },
	} {
		r := samples()["patch"]
		change(r)
		_, err := r.Encode()
		require.ErrorIs(t, err, ErrInvalid, name)
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		frame, err := r.Encode()
		require.NoError(t, err)
		got, err := DecodeRecord(frame)
		require.NoError(t, err)
		r.CRC = got.CRC
		require.Equal(t, r, got)
	})
}

func drawRecord(t *rapid.T) *Record {
	id := rapid.Custom(func(t *rapid.T) ID { return ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")) })
	text := rapid.SliceOfN(rapid.Byte(), 0, 40)
	str := func(what string) string { return string(text.Draw(t, what)) }
	version := func(what string) Version {
		if !rapid.Bool().Draw(t, what) {
			return Version{}
		}
		return Version{Exists: true, Size: rapid.Int64Min(0).Draw(t, "size"), Hash: Hash(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "hash"))}
	}
	lsn := rapid.Uint64Min(1).Draw(t, "lsn")
	r := &Record{
		Kind: Kind(rapid.Uint8Range(1, uint8(lastKind)).Draw(t, "kind")), Flags: Flags(rapid.Uint16Range(0, uint16(knownFlags)).Draw(t, "flags")),
		LSN: LSN(lsn), Durable: LSN(rapid.Uint64Range(0, lsn-1).Draw(t, "durable")),
		Named: LSN(rapid.Uint64Range(0, lsn-1).Draw(t, "named")), Staged: rapid.Uint64().Draw(t, "staged"), Rev: rapid.Uint64().Draw(t, "rev"),
		Unit: id.Draw(t, "unit"), Before: version("before"), After: version("after"), Prev: rapid.Uint32().Draw(t, "prev"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "participants") {
		r.Participants = append(r.Participants, Participant{
			Workspace: id.Draw(t, "workspace"), Root: str("root"), Path: str("path"), LSN: LSN(rapid.Uint64().Draw(t, "lsn")),
			Count: rapid.Uint64Min(1).Draw(t, "count"),
		})
	}
	txns := rapid.IntRange(0, 3)
	if r.Kind == KindClash {
		txns = rapid.Just(2)
	}
	for range txns.Draw(t, "txns") {
		tx := Txn{
			ID: id.Draw(t, "id"), Time: time.Unix(0, rapid.Int64Min(noTime+1).Draw(t, "time")).UTC(), RequestID: str("request"),
			Actor: str("actor"), Message: str("message"), Patch: append([]byte(nil), text.Draw(t, "patch")...),
		}
		end := int64(0)
		for range rapid.IntRange(0, 3).Draw(t, "splices") {
			s := Splice{Offset: rapid.Int64Min(end).Draw(t, "offset"), Bytes: append([]byte(nil), text.Draw(t, "bytes")...)}
			s.Length = rapid.Int64Range(0, math.MaxInt64-s.Offset).Draw(t, "length")
			tx.Splices, end = append(tx.Splices, s), s.Offset+s.Length
		}
		for range rapid.IntRange(0, 2).Draw(t, "origins") {
			tx.Origins = append(tx.Origins, Origin{
				Kind: OriginKind(rapid.Uint8Min(1).Draw(t, "origin")), Txn: id.Draw(t, "of"), Path: str("from"), Rev: rapid.Uint64().Draw(t, "of rev"),
			})
		}
		r.Txns = append(r.Txns, tx)
	}
	switch {
	case r.HasImage():
		r.Image = []byte("x" + str("image"))
	case r.Kind == KindClash:
		r.Image = []byte("x" + str("found"))
	case r.Kind == KindIntent:
		r.Image = []byte("x" + str("found"))
		r.Before = VersionOf(r.Image)
	}
	facts := rapid.IntRange(0, 3)
	if r.Kind == KindDecision {
		facts = rapid.Just(1)
	}
	if r.Kind == KindBegin {
		r.UnknownBelow = LSN(rapid.Uint64().Draw(t, "unknown below"))
	}
	for n := facts.Draw(t, "facts"); r.hasFacts() && n > 0; n-- {
		r.Facts = append(r.Facts, Fact{
			Unit: id.Draw(t, "fact of"), LSN: LSN(rapid.Uint64().Draw(t, "fact at")),
			Outcome: Outcome(rapid.Uint8Range(uint8(OutcomeCommitted), uint8(OutcomeDiscarded)).Draw(t, "outcome")),
		})
	}
	if r.Flags&FlagClock != 0 {
		r.Run = rapid.Uint16Min(1).Draw(t, "run")
		if rapid.Bool().Draw(t, "dated elsewhere") {
			r.Clock = time.Unix(0, rapid.Int64Min(noTime+1).Draw(t, "clock")).UTC()
		}
	}
	return r
}

func TestVersionFrom(t *testing.T) {
	for _, size := range []int{0, 1, 31, 32, 33, 100_000} {
		data := bytes.Repeat([]byte("x7"), size)[:size]
		v, err := VersionFrom(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		require.Equal(t, VersionOf(data), v)
	}
}
