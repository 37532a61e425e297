package wal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
)

// What pack writes, readPacked reads, however well it compresses.
func TestPackedIsReadAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for _, data := range [][]byte{
		{1}, noise, make([]byte, freeSize), make([]byte, freeSize+1), make([]byte, 10*freeSize),
		bytes.Repeat(noise[:1000], 20_000), append(make([]byte, 5*freeSize), noise...),
	} {
		packed, err := pack(data)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "a"+packedSuffix)
		require.NoError(t, os.WriteFile(path, packed, 0o600))
		got, err := readPacked(fsys.OS, path, 0)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, got))
		assert.LessOrEqual(t, len(data), max(freeSize, maxRatio*(len(packed)+1)))
	}
}

// A small file of a stranger, which would unpack to 100 MB and more, takes a bounded part
// of that: what may be of any ratio, as it grows, and the decoder's windows, which the race
// detector makes anew at random (sync.Pool).
func TestPackedBomb(t *testing.T) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	require.NoError(t, err)
	large := enc.EncodeAll(make([]byte, 400<<20), nil)
	small := enc.EncodeAll(make([]byte, freeSize), nil)
	var unsized bytes.Buffer
	stream, err := zstd.NewWriter(&unsized)
	require.NoError(t, err)
	for range 100 {
		_, err := stream.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, stream.Close())
	for name, packed := range map[string][]byte{
		"one frame":                large,
		"many frames":              bytes.Repeat(small, 200),
		"a frame of unknown size":  unsized.Bytes(),
		"a padded frame, and more": append(bytes.Clone(small), large...),
		"not zstd":                 []byte("no zstd at all, but text"),
		"empty":                    {},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a"+packedSuffix)
			require.NoError(t, os.WriteFile(path, packed, 0o600))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readPacked(fsys.OS, path, 0)
			runtime.ReadMemStats(&after)
			assert.ErrorIs(t, err, ErrCorrupt)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*freeSize+2*maxWindow))
		})
	}
}

// A segment that is larger than any is not taken into memory.
func TestHugeSegment(t *testing.T) {
	for _, name := range []string{"00000000000000000001", "a" + packedSuffix} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Truncate(path, maxSegment+1))
		_, err := readFrom(fsys.OS, path, 0)
		assert.ErrorIs(t, err, ErrCorrupt)
	}
}
