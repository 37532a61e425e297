package fuzz

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/fuzz/evidence"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// machine does random things to a store, and compares it with a model after each.
type machine struct {
	*workload // to read the files
	dir       string
	store     *txn.Store
	boot      int

	docs    documents // what the files hold, by value
	texts   contents  // and by bytes
	changes map[string]int
	foreign map[string]bool              // changed by another program, and jtx has not been there since
	kept    map[string]map[uint64]string // versions by file and revision
	last    wal.ID                       // the newest transaction, if nothing came after it
	before  contents                     // what it found
	open    *pinned
	saves   int
	acked   int
}

// pinned is an open transaction.
type pinned struct {
	tx      *txn.OpenTx
	files   []string
	changes map[string]int
	docs    documents // as the transaction sees them
	texts   contents
	staged  bool
}

func newMachine(t *rapid.T, dir string) *machine {
	m := &machine{workload: &workload{files: modelFiles, init: true, seed: map[string]string{modelFiles[0]: small}}, dir: dir, docs: documents{}, texts: contents{}, changes: map[string]int{},
		foreign: map[string]bool{}, kept: map[string]map[uint64]string{}}
	for _, f := range modelFiles {
		m.kept[f] = map[uint64]string{}
	}
	if err := m.setup(dir); err != nil {
		t.Fatal(err)
	}
	m.reopen(t, fsys.OS)
	m.look(t)
	return m
}

func (m *machine) reopen(t *rapid.T, fsy fsys.FS) {
	s, err := txn.Open(m.dir, txntest.With(txn.Options{Actor: "t"}, txntest.Hooks{FS: fsy, Boot: bootOf(m.boot)}))
	if err != nil {
		t.Fatal(err)
	}
	m.store = s
}

// look reads the files as they are now into the model.
func (m *machine) look(t *rapid.T) {
	now, err := m.read(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range modelFiles {
		a, aok := m.texts[f]
		b, bok := now[f]
		if a != b || aok != bok {
			m.changes[f]++
		}
	}
	m.texts, m.docs = now, valuesOf(now)
}

// named is a file as the model names it, of a result that has it as the caller gave it,
// or a whole path.
func (m *machine) named(t *rapid.T, file string) string {
	if !filepath.IsAbs(file) {
		return file
	}
	rel, err := filepath.Rel(m.dir, file)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

func valuesOf(texts contents) documents {
	docs := documents{}
	for f, text := range texts {
		docs[f] = decoded(text)
	}
	return docs
}

// committed checks what a transaction that was acknowledged has left.
func (m *machine) committed(t *rapid.T, res txn.Result, want documents) {
	before := m.texts
	m.look(t)
	if !m.docs.equal(want) {
		t.Fatalf("the files are\n%v\nexpected\n%s", m.texts, jsonOf(want))
	}
	if len(res.Warnings) > 0 {
		t.Fatalf("warnings: %q", res.Warnings)
	}
	for _, r := range res.Files {
		f := m.named(t, r.File)
		m.foreign[f] = false
		if text, ok := m.texts[f]; ok && r.Rev > 0 {
			m.kept[f][r.Rev] = text
		}
	}
	if res.ID != (wal.ID{}) {
		m.last, m.before = res.ID, before
		m.acked++
	}
}

// edits runs a transaction that must be refused where the model refuses it.
func (m *machine) edits(t *rapid.T) {
	edits := pickEdits.Draw(t, "edits")
	want, refused := m.expect(edits)
	res, err := m.store.Do(context.Background(), filesOf(edits), all(edits))
	if (err != nil) != (refused != nil) {
		t.Fatalf("%v: %v, the model says %v", edits, err, refused)
	}
	if err != nil {
		m.refused(t, err)
		return
	}
	m.committed(t, res, want)
}

// refused checks that an error changed nothing.
func (m *machine) refused(t *rapid.T, err error) {
	if !errors.Is(err, txn.ErrConflict) && !errors.Is(err, txn.ErrNotFound) {
		t.Fatalf("neither a conflict nor not found: %v", err)
	}
	now, readErr := m.read(m.dir)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if !now.equal(m.texts) {
		t.Fatalf("%v, but the files are\n%v", err, now)
	}
	m.last = wal.ID{} // what another program has done may have been recorded
}

func (m *machine) expect(edits []edit) (documents, error) {
	docs := maps.Clone(m.docs)
	for _, e := range edits {
		if err := e.apply(docs); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// acceptable leaves out what the model refuses.
func (m *machine) acceptable(edits []edit) (good []edit, want documents) {
	want = maps.Clone(m.docs)
	for _, e := range edits {
		next := maps.Clone(want)
		if err := e.apply(next); err == nil {
			good, want = append(good, e), next
		}
	}
	return good, want
}

func filesOf(edits []edit) (files []string) {
	for _, e := range edits {
		if !slices.Contains(files, e.file) {
			files = append(files, e.file)
		}
	}
	return files
}

func all(edits []edit) func(tx *txn.Tx) error {
	return func(tx *txn.Tx) error {
		for _, e := range edits {
			if err := e.run(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

// failingCall runs a transaction in which one call fails.
func (m *machine) failingCall(t *rapid.T) {
	edits, want := m.acceptable(pickEdits.Draw(t, "edits"))
	m.adoptRemovals(t)
	fault := fsys.Fault{Call: rapid.IntRange(0, 40).Draw(t, "call"), Err: rapid.SampledFrom([]error{syscall.EIO, syscall.ENOSPC}).Draw(t, "error"),
		Forever: rapid.Bool().Draw(t, "forever"), Short: true}
	m.reopen(t, fsys.NewFailing(fsys.OS, fault))
	res, err := m.store.Do(context.Background(), filesOf(edits), all(edits))
	m.reopen(t, fsys.OS)
	switch {
	case err == nil && len(res.Warnings) > 0:
		m.settle(t, want)
	case err == nil:
		m.committed(t, res, want)
	case errors.Is(err, txn.ErrInDoubt):
		m.settle(t, m.docs, want)
	default:
		m.settle(t, m.docs)
	}
}

// crash ends the process in the midst of a transaction, perhaps with a reboot.
func (m *machine) crash(t *rapid.T) {
	edits, want := m.acceptable(pickEdits.Draw(t, "edits"))
	reboots := rapid.Bool().Draw(t, "reboot")
	if reboots {
		m.adopt(t)
	}
	at := rapid.IntRange(1, 90).Draw(t, "moment")
	moments := 0
	m.reopen(t, hookedFS{fsys.OS, func() {
		if moments++; moments == at {
			panic(errCutOff)
		}
	}})
	finished := m.untilCutOff(t, edits)
	if reboots {
		m.boot++
	}
	m.reopen(t, fsys.OS)
	if finished {
		m.settle(t, want)
	} else {
		m.settle(t, m.docs, want)
	}
}

func (m *machine) untilCutOff(t *rapid.T, edits []edit) (finished bool) {
	defer func() {
		//lint:ignore errorlint a panic has a value, not an error that is wrapped
		if p := recover(); p != nil && p != errCutOff {
			panic(p)
		}
	}()
	if _, err := m.store.Do(context.Background(), filesOf(edits), all(edits)); err != nil {
		t.Fatalf("it was not cut off: %v", err)
	}
	return true
}

// settle lets a view tell which of some states stands, the oldest first, and then
// recovery. A view goes on showing the older one where nobody was told of the newer one;
// what it has shown is never taken back.
func (m *machine) settle(t *rapid.T, may ...documents) {
	seen, err := m.view(m.store)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(may, valuesOf(seen).equal) {
		t.Fatalf("a view shows\n%v\nexpected one of\n%s", seen, jsonOf(may))
	}
	if err := sweep(m.store, m.dir); err != nil {
		t.Fatal(err)
	}
	m.look(t)
	newest := may[len(may)-1]
	older := len(may) > 1 && (!valuesOf(seen).equal(newest) || may[0].equal(newest)) // or that, for only the layout tells
	later := older && valuesOf(m.texts).equal(newest)
	if !m.texts.equal(seen) && !later {
		t.Fatalf("a view showed\n%v\nafter recovery the files are\n%v", seen, m.texts)
	}
	m.last = wal.ID{}
	clear(m.foreign)
}

// adopt lets jtx see what another program has done. A file that was removed just
// before a reboot, when its name had never been synced, looks like one that the
// reboot lost, and comes back.
func (m *machine) adopt(t *rapid.T) {
	for _, f := range modelFiles {
		if m.foreign[f] {
			m.settle(t, m.docs)
		}
	}
}

// adoptRemovals is adopt for files that were removed. A write of `state` that fails
// in its midst tears it, which is to recovery as a reboot is.
func (m *machine) adoptRemovals(t *rapid.T) {
	for _, f := range modelFiles {
		if _, there := m.docs[f]; m.foreign[f] && !there {
			m.settle(t, m.docs)
		}
	}
}

func (m *machine) reboot(t *rapid.T) {
	m.adopt(t)
	m.boot++
	m.reopen(t, fsys.OS)
}

// save is another program's. Its content is like no other.
func (m *machine) save(t *rapid.T) {
	f := pickFile.Draw(t, "file")
	m.saves++
	text := laidOut(map[string]any{"save": m.saves, "a": pickValue.Draw(t, "value")}, pickLayout.Draw(t, "layout"))
	finish, err := editors[rapid.SampledFrom(slices.Sorted(maps.Keys(editors))).Draw(t, "editor")](filepath.Join(m.dir, f), text)
	if err == nil && finish != nil {
		err = finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	m.touched(t, f)
}

func (m *machine) unlink(t *rapid.T) {
	f := pickFile.Draw(t, "file")
	if _, ok := m.texts[f]; !ok {
		t.Skip("not there")
	}
	if err := os.Remove(filepath.Join(m.dir, f)); err != nil {
		t.Fatal(err)
	}
	m.touched(t, f)
}

func (m *machine) touched(t *rapid.T, f string) {
	m.look(t)
	m.foreign[f] = true
	m.last = wal.ID{}
}

// damage breaks a file that jtx knows. A change must be refused, and the last
// good version come back.
func (m *machine) damage(t *rapid.T) {
	f := pickFile.Draw(t, "file")
	text, ok := m.texts[f]
	if !ok || m.foreign[f] || len(m.kept[f]) == 0 {
		t.Skip("nothing to lose")
	}
	if err := os.WriteFile(filepath.Join(m.dir, f), []byte(`{"torn`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := m.store.Do(context.Background(), []string{f}, func(tx *txn.Tx) error { return tx.Set(f, "", 1) })
	if !errors.Is(err, txn.ErrDamaged) {
		t.Fatalf("not reported: %v", err)
	}
	if _, err := history.Restore(context.Background(), m.store, []string{f}, history.Point{}); err != nil {
		t.Fatal(err)
	}
	m.look(t)
	if m.texts[f] != text {
		t.Fatalf("%s came back as %q, not as %q", f, m.texts[f], text)
	}
	m.changes[f]++
	m.last = wal.ID{}
}

func (m *machine) undo(t *rapid.T) {
	if m.last == (wal.ID{}) {
		t.Skip("nothing to undo")
	}
	was := m.before
	res, err := history.Undo(context.Background(), m.store, m.last)
	if err != nil {
		t.Fatal(err)
	}
	m.committed(t, res, valuesOf(was))
	if !m.texts.equal(was) {
		t.Fatalf("undone to\n%v\nbefore it was\n%v", m.texts, was)
	}
}

func (m *machine) compact(t *rapid.T) {
	keep := admin.Retention{Revs: uint64(rapid.SampledFrom([]int{0, 3, 8}).Draw(t, "keep"))}
	done, err := admin.Compact(context.Background(), m.store, nil, keep)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range done {
		f := m.named(t, c.File)
		for rev := range m.kept[f] {
			if rev < c.Oldest {
				delete(m.kept[f], rev)
			}
		}
	}
	m.last = wal.ID{}
}

// version reads an old one.
func (m *machine) version(t *rapid.T) {
	f := pickFile.Draw(t, "file")
	if len(m.kept[f]) == 0 {
		t.Skip("no version")
	}
	rev := rapid.SampledFrom(slices.Sorted(maps.Keys(m.kept[f]))).Draw(t, "revision")
	v, err := history.ReadVersion(context.Background(), m.store, f, history.AtRev(rev))
	if err != nil {
		t.Fatalf("%s@%d: %v", f, rev, err)
	}
	if string(v.Data) != m.kept[f][rev] {
		t.Fatalf("%s@%d is %q, it was %q", f, rev, v.Data, m.kept[f][rev])
	}
}

// check is what holds after each step.
func (m *machine) check(t *rapid.T) {
	now, err := m.read(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := m.view(m.store)
	if err != nil {
		t.Fatal(err)
	}
	if !now.equal(m.texts) || !seen.equal(m.texts) {
		t.Fatalf("the files are\n%v\na view shows\n%v\nexpected\n%v", now, seen, m.texts)
	}
	results, err := admin.Verify(context.Background(), m.store, []string{m.dir}, admin.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		f := m.named(t, r.File)
		if r.Err != nil || r.Unfinished || r.Foreign && !m.foreign[f] {
			t.Fatalf("verify: %s: %v, unfinished %v, foreign %v", f, r.Err, r.Unfinished, r.Foreign)
		}
	}
}

// TestModel compares random use with a simple model. A failing run is made small
// and printed with its seed.
func TestModel(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	row := evidence.Start(t, "random use against a model", "steps")
	row.Seed = rapidSeed()
	root := scratch(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		dir := filepath.Join(root, fmt.Sprint(runs))
		m := newMachine(rt, dir)
		actions := map[string]func(*rapid.T){
			"": func(t *rapid.T) { row.Tried++; m.check(t) }, "edits": m.edits, "more edits": m.edits, "failing call": m.failingCall, "crash": m.crash, "reboot": m.reboot,
			"save": m.save, "unlink": m.unlink, "damage": m.damage, "undo": m.undo, "compact": m.compact, "version": m.version,
			"open transaction": m.openTransaction,
		}
		rt.Repeat(actions)
		row.Checked += m.acked
		if err := os.RemoveAll(dir); err != nil {
			rt.Fatal(err)
		}
	})
	t.Logf("%d runs, %d steps, %d transactions", runs, row.Tried, row.Checked)
}
