package wal

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal/fsys"
	"github.com/jtx-project/jtx/wal/fsys/measure"
)

// noSync leaves out what only the disk's latency would be measured by.
type noSync struct{ fsys.FS }

type noSyncFile struct{ fsys.File }

func (f noSync) OpenFile(name string, flag int, perm os.FileMode) (fsys.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	return noSyncFile{file}, err
}

func (f noSyncFile) Sync() error     { return nil }
func (f noSyncFile) Datasync() error { return nil }

// grow makes a journal of n records.
func grow(b *testing.B, n int, opt Options) string {
	b.Helper()
	dir := fileDir(b)
	opt.FS = noSync{fsys.OS}
	l := open(b, dir, opt)
	for i := range n {
		require.NoError(b, l.Append(patch(i+1)))
	}
	require.NoError(b, l.Sync())
	require.NoError(b, l.Settle(LSN(n), FileID{}, Version{}, false))
	require.NoError(b, l.Close())
	return dir
}

// measured reports fsyncs/op and, where they are real, xraw: the rate as a ratio to
// that of the bare disk, which is measured before and after.
func measured(b *testing.B, synced bool, fsy fsys.FS, work func(fsys.FS)) {
	b.Helper()
	raw, err := measure.OpenRawDisk(b.TempDir())
	require.NoError(b, err)
	defer raw.Close()
	const slice = 100 * time.Millisecond
	if synced {
		require.NoError(b, raw.Run(slice))
	}
	syncs := &measure.Syncs{FS: fsy}
	work(syncs)
	if synced {
		require.NoError(b, raw.Run(slice))
		b.ReportMetric(measure.Rate(b.N, b.Elapsed())/raw.Rate(), "xraw")
	}
	b.ReportMetric(float64(syncs.Count())/float64(b.N), "fsyncs/op")
}

// BenchmarkCommit is a whole commit's share of this package, from Open to Close, at
// one fdatasync each.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{10, 1e3, 1e5} {
		for name, fsy := range map[string]fsys.FS{"synced": fsys.OS, "unsynced": noSync{fsys.OS}} {
			b.Run(fmt.Sprintf("%s/records=%d", name, n), func(b *testing.B) {
				opt := Options{Boot: boot}
				dir := grow(b, n, opt)
				b.ReportAllocs()
				measured(b, name == "synced", fsy, func(counted fsys.FS) {
					opt.FS = counted
					for i := 0; b.Loop(); i++ {
						l, err := Open(dir, opt)
						if err != nil || !l.Trusted() {
							b.Fatal(err)
						}
						if err := tryCommit(l, patch(n+i+1)); err != nil {
							b.Fatal(err)
						}
						_ = l.Close()
					}
				})
			})
		}
	}
}

// BenchmarkKept is the same with a handle that is kept.
func BenchmarkKept(b *testing.B) {
	for name, fsy := range map[string]fsys.FS{"synced": fsys.OS, "unsynced": noSync{fsys.OS}} {
		b.Run(name+"/records=1000", func(b *testing.B) {
			opt := Options{Boot: boot}
			dir := grow(b, 1000, opt)
			b.ReportAllocs()
			measured(b, name == "synced", fsy, func(counted fsys.FS) {
				opt.FS = counted
				l := open(b, dir, opt)
				for i := 0; b.Loop(); i++ {
					if err := l.Refresh(); err != nil {
						b.Fatal(err)
					}
					if err := tryCommit(l, patch(i)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkSegmentSize is how DefaultSegmentSize was chosen: tidwall/wal reads the
// tail segment at each Open, and a roll-over costs a sync of the directory.
func BenchmarkSegmentSize(b *testing.B) {
	for _, size := range []int{16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		for _, fill := range []string{"average", "synced"} {
			b.Run(fmt.Sprintf("%s/bytes=%d", fill, size), func(b *testing.B) {
				opt := Options{Boot: boot, SegmentSize: size}
				dir := grow(b, size/2/158, opt)
				opt.FS = noSync{fsys.OS}
				if fill == "synced" {
					opt.FS = fsys.OS
				}
				for i := 0; b.Loop(); i++ {
					l, err := Open(dir, opt)
					if err != nil {
						b.Fatal(err)
					}
					if err := tryCommit(l, patch(i)); err != nil {
						b.Fatal(err)
					}
					_ = l.Close()
				}
			})
		}
	}
}

func BenchmarkScan(b *testing.B) {
	const n = 1e5
	dir := grow(b, n, Options{Boot: boot})
	for b.Loop() {
		count := 0
		for _, err := range Scan(nil, dir, 1) {
			if err != nil {
				b.Fatal(err)
			}
			count++
		}
		require.EqualValues(b, n, count)
	}
}

func BenchmarkScanBack10(b *testing.B) {
	dir := grow(b, 1e5, Options{Boot: boot})
	for b.Loop() {
		count := 0
		for _, err := range ScanBack(nil, dir, 0) {
			if err != nil {
				b.Fatal(err)
			}
			if count++; count == 10 {
				break
			}
		}
	}
}
