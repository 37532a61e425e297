package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func resealState(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[stateCRC:], crc32.Checksum(b[:stateCRC], castagnoli))
	return b
}

// FuzzDecodeRecord: what parses must be written again identically. The input gets its
// length and checksum put right, else nothing would ever parse.
func FuzzDecodeRecord(f *testing.F) {
	for _, r := range samples() {
		frame, err := r.Encode()
		require.NoError(f, err)
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = DecodeRecord(b)
		if len(b) < headerSize {
			return
		}
		b = reseal(bytes.Clone(b))
		r, err := DecodeRecord(b)
		if err != nil {
			require.True(t, errors.Is(err, ErrCorrupt) != errors.Is(err, ErrVersion), "%v", err)
			return
		}
		again, err := r.Encode()
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

func FuzzReadState(f *testing.F) {
	s := sampleState()
	b := s.encode()
	f.Add(b[:])
	f.Add(b[:77])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == stateSize {
			b = resealState(bytes.Clone(b))
		}
		s, ok, err := decodeState(b)
		if err != nil {
			require.ErrorIs(t, err, ErrVersion)
		}
		if !ok {
			require.Zero(t, s)
			return
		}
		again := s.encode()
		require.Equal(t, b, again[:])
	})
}

// FuzzScan: whatever a segment holds, readers and the preflight agree on it, and what
// can be opened can be appended to and read again.
func FuzzScan(f *testing.F) {
	dir := f.TempDir()
	l, err := Open(dir, bigSegments())
	require.NoError(f, err)
	require.NoError(f, tryCommit(l, patch(1), image(2, "{}"), patch(3)))
	require.NoError(f, l.Close())
	whole, err := os.ReadFile(filepath.Join(dir, lsnName(1)))
	require.NoError(f, err)
	f.Add(whole, uint8(3))
	f.Add(whole, uint8(0))
	f.Add(whole[:len(whole)-9], uint8(2))
	f.Add(append(whole[:200:200], make([]byte, 300)...), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, durable uint8) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, lsnName(1)), b, 0o600))
		forget(t, dir, LSN(durable))
		recs, err := scanOnce(dir)
		l, openErr := Open(dir, bigSegments())
		if err != nil {
			require.Error(t, openErr)
			return
		}
		require.NoError(t, openErr)
		require.Equal(t, LSN(len(recs)), l.State().Last)
		require.NoError(t, tryCommit(l, patch(9)))
		require.NoError(t, l.Close())
		after, err := scanOnce(dir)
		require.NoError(t, err)
		require.Len(t, after, len(recs)+1)
		for i, r := range recs {
			require.Equal(t, r, after[i])
		}
	})
}
