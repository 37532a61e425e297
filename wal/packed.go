package wal

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/jtx-project/jtx/wal/fsys"
)

// packedSuffix ends the name of a compressed segment: one zstd frame of what the
// segment would hold. tidwall/wal passes over it.
const packedSuffix = ".zst"

// appendEntry appends a frame as tidwall/wal does.
func appendEntry(b, frame []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(frame))), frame...)
}

var unpacker = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPayload))
})

// readPacked reads a compressed segment from an offset of what it holds.
func readPacked(fsy fsys.FS, path string, offset int64) ([]byte, error) {
	packed, err := fsys.ReadFile(fsy, path)
	if err != nil {
		return nil, err
	}
	dec, err := unpacker()
	if err != nil {
		return nil, err
	}
	data, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, &CorruptError{Path: path, Reason: fmt.Sprintf("unpacking: %v", err)}
	}
	return data[min(offset, int64(len(data))):], nil
}

func isPacked(path string) bool { return strings.HasSuffix(path, packedSuffix) }
