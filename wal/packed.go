package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// The coders are shared: their buffers are large. EncodeAll may be called at the same
// time.
var (
	packer = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	})
	unpackers sync.Pool // of *zstd.Decoder
)

// A compressed segment may come from a stranger. So one holds no more than bounds
// say, which pack keeps to, and readPacked looks at before it takes memory: what
// compresses better than maxRatio is padded, by a frame that every decoder skips.
const (
	freeSize = 4 << 20 // in bytes, that may be of any ratio
	maxRatio = 256
)

// leastPacked is the least size of what holds so many bytes.
func leastPacked(size uint64) uint64 {
	if size <= freeSize {
		return 0
	}
	return size / maxRatio
}

// The header of a frame that decoders skip: its magic number, and the length of what
// follows (RFC 8878, 3.1.2).
const (
	skippableMagic  = 0x184d2a50
	skippableHeader = 8
)

func pack(data []byte) ([]byte, error) {
	enc, err := packer()
	if err != nil {
		return nil, err
	}
	packed := enc.EncodeAll(data, nil)
	if least := int(leastPacked(uint64(len(data)))); len(packed) < least {
		padding := max(least-len(packed)-skippableHeader, 0)
		packed = binary.LittleEndian.AppendUint32(packed, skippableMagic)
		packed = binary.LittleEndian.AppendUint32(packed, uint32(padding))
		packed = append(packed, make([]byte, padding)...)
	}
	return packed, nil
}

// readPacked reads a compressed segment from an offset of what it holds.
func readPacked(fsy fsys.FS, path string, offset int64) ([]byte, error) {
	packed, err := fsys.ReadAtMost(fsy, path, maxSegment)
	if errors.Is(err, fsys.ErrTooLarge) {
		return nil, &CorruptError{Path: path, Reason: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	data, err := unpack(packed)
	if err != nil {
		return nil, &CorruptError{Path: path, Reason: fmt.Sprintf("unpacking: %v", err)}
	}
	return data[min(offset, int64(len(data))):], nil
}

func unpack(packed []byte) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(packed); err != nil {
		return nil, err
	}
	size := uint64(freeSize) // a short frame need not say its own
	if h.HasFCS {
		size = h.FrameContentSize
	}
	if h.Skippable || size > maxSegment || h.HasFCS && leastPacked(size) > uint64(len(packed)) || h.WindowSize > maxWindow {
		return nil, fmt.Errorf("%d bytes can't hold %d", len(packed), size)
	}
	dec, err := newUnpacker(packed)
	if err != nil {
		return nil, err
	}
	defer unpackers.Put(dec)
	var data bytes.Buffer
	if h.HasFCS {
		data.Grow(int(size) + bytes.MinRead)
	}
	n, err := io.Copy(&data, io.LimitReader(dec, int64(size)+1))
	if err == nil && (uint64(n) > size || h.HasFCS && uint64(n) < size) {
		err = fmt.Errorf("it does not hold the %d bytes that it says", size)
	}
	return data.Bytes(), err
}

// maxWindow is no less than what the encoder uses, in bytes.
const maxWindow = 16 << 20

// newUnpacker reads packed as a stream, so that no more of it is unpacked than is read.
func newUnpacker(packed []byte) (*zstd.Decoder, error) {
	if dec, ok := unpackers.Get().(*zstd.Decoder); ok {
		return dec, dec.Reset(bytes.NewReader(packed))
	}
	return zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
}

func isPacked(path string) bool { return strings.HasSuffix(path, packedSuffix) }
