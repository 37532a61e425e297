package fuzz

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

const firstSegment = "00000000000000000001"

// FuzzRecover opens a store whose journal and `state` hold any bytes. Nothing may
// panic or hang, and the file stays as it is or becomes a version that the journal
// holds.
func FuzzRecover(f *testing.F) {
	segment, state := realJournal(f)
	f.Add(segment, state, "{}")
	f.Add(segment, []byte{}, small)
	f.Add(segment[:len(segment)-7], state, small)
	f.Add(segment[3:], state, "")
	f.Add([]byte{}, state, "{")
	f.Fuzz(func(t *testing.T, segment, state []byte, text string) {
		dir := scratch(t)
		journal := filepath.Join(dir, ".jtx/files/a.json")
		name := filepath.Join(dir, "a.json")
		s := tracking(t, dir)
		for path, data := range map[string][]byte{filepath.Join(journal, firstSegment): segment, filepath.Join(journal, "lock"): state, name: []byte(text)} {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ctx := context.Background()
		_ = s.View(ctx, []string{"a.json"}, func(*txn.Tx) error { return nil }) // an error is fine, a panic is not
		_, _ = admin.Verify(ctx, s, []string{dir}, admin.VerifyOptions{})
		for range history.Log(ctx, s, []string{"a.json"}, history.LogOptions{Patches: true}) {
		}
		_, _ = admin.Recover(ctx, s, []string{dir}, admin.RecoverOptions{})
		now, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err == nil && string(now) != text && !written(journal, now) {
			t.Fatalf("the file became %q, which the journal does not hold", now)
		}
		_, _ = s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Put("a.json", []byte("{}")) })
	})
}

// tracking is a store in which a.json has a short history.
func tracking(t testing.TB, dir string) *txn.Store {
	w := &workload{files: []string{"a.json"}, seed: map[string]string{"a.json": small}, ready: []step{set(2, "a.json"), put("{}", "a.json")}}
	if err := w.setup(dir); err != nil {
		t.Fatal(err)
	}
	world, err := w.open(fsys.OS, dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	return world.store
}

func realJournal(f *testing.F) (segment, state []byte) {
	dir := scratch(f)
	tracking(f, dir)
	journal := filepath.Join(dir, ".jtx/files/a.json")
	segment, err := os.ReadFile(filepath.Join(journal, firstSegment))
	if err != nil {
		f.Fatal(err)
	}
	if state, err = os.ReadFile(filepath.Join(journal, "lock")); err != nil {
		f.Fatal(err)
	}
	return segment, state
}

// written tells whether a record of the journal says that the file becomes this.
func written(journal string, data []byte) bool {
	for rec, err := range wal.Scan(fsys.OS, journal, 1) {
		if err != nil {
			return false
		}
		if rec.After == wal.VersionOf(data) {
			return true
		}
	}
	return false
}
