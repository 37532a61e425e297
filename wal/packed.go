package wal

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/jtx-project/jtx/wal/fsys"
)

// packedSuffix ends the name of a compressed segment: one zstd frame of what the
// segment would hold. tidwall/wal passes over it.
const packedSuffix = ".zst"

func packedPath(journal string, group, first, last LSN) string {
	return filepath.Join(groupDir(journal, group), lsnName(first)+"-"+lsnName(last)+packedSuffix)
}

// packedLast reads what stands behind the first LSN in the name of a compressed
// segment, -<last LSN>.zst.
func packedLast(rest string) (last LSN, ok bool) {
	digits, ok := strings.CutSuffix(rest, packedSuffix)
	if !ok || len(digits) != 1+lsnDigits || digits[0] != '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits[1:], 10, 64)
	return LSN(n), err == nil
}

// appendEntry appends a frame as tidwall/wal does.
func appendEntry(b, frame []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(frame))), frame...)
}

// The coders are shared: their buffers are large, and EncodeAll and DecodeAll may be
// called at the same time.
var (
	packer = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	})
	unpacker = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPayload))
	})
)

func pack(data []byte) ([]byte, error) {
	enc, err := packer()
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(data, nil), nil
}

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
