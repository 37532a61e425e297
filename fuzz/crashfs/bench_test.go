package crashfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/jtx-project/jtx/wal/fsys"
)

// scene is a tree like that of a workspace with so many tracked files.
func scene(b *testing.B, files int) (scratch, dir string) {
	scratch, err := ScratchDir()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = removeAll(scratch) })
	dir = filepath.Join(scratch, "run")
	for i := range files {
		journal := filepath.Join(dir, ".jtx", "files", fmt.Sprint(i))
		if err := os.MkdirAll(journal, 0o755); err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{filepath.Join(journal, "1"), filepath.Join(journal, "lock"), filepath.Join(dir, fmt.Sprint(i, ".json"))} {
			if err := os.WriteFile(name, make([]byte, 2000), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	return scratch, dir
}

func BenchmarkRecordedWrite(b *testing.B) {
	for _, files := range []int{1, 3, 10, 100} {
		for name, options := range map[string][]Option{"all": nil, "journals": {Watch(WatchJournals)}} {
			b.Run(fmt.Sprintf("files=%d/watch=%s", files, name), func(b *testing.B) {
				_, dir := scene(b, files)
				r, err := NewRecorder(fsys.OS, dir, options...)
				if err != nil {
					b.Fatal(err)
				}
				f, err := r.OpenFile(filepath.Join(dir, "0.json"), os.O_RDWR, 0)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := f.WriteAt([]byte("x"), 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkState makes one sampled state of a history with twenty undurable
// writes, identifies it, writes it out and removes it.
func BenchmarkState(b *testing.B) {
	for _, files := range []int{1, 3, 10} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			scratch, dir := scene(b, files)
			r, err := NewRecorder(fsys.OS, dir)
			if err != nil {
				b.Fatal(err)
			}
			f, err := r.OpenFile(filepath.Join(dir, "0.json"), os.O_RDWR, 0)
			if err != nil {
				b.Fatal(err)
			}
			for i := range 20 {
				if _, err := f.WriteAt([]byte("written"), int64(i*100)); err != nil {
					b.Fatal(err)
				}
			}
			h := newHistory(r.Log())
			for range h.log.Events {
				h.advance()
			}
			sp := newSpace(h, POSIX)
			rng := rand.New(rand.NewPCG(1, 1))
			out := filepath.Join(scratch, "out")
			for b.Loop() {
				s := sp.build(sp.sample(rng), rng, false)
				_ = s.sum()
				if _, err := s.materialize(out, dir); err != nil {
					b.Fatal(err)
				}
				if err := removeAll(out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
