package fuzz

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jtx-project/jtx/fuzz/crashfs"
	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// effort multiplies what the tests of this package try. 1 is for every day.
var effort = flag.Int("fuzz.effort", 1, "how much more than usual to try")

// workload is a sequence of changes to some files, each either a transaction or
// the save of another program. What the files hold after each is its model.
type workload struct {
	name  string
	files []string          // relative; their directories are made
	seed  map[string]string // what stands there before jtx has seen it
	init  bool              // one workspace over the whole tree
	ready []step            // done, and durable, before the first crash
	steps []step
	level txn.Durability
	// links are further names of files. Such a file is written in place.
	links map[string]string
	real  bool // in this boot of this machine, so that other processes can take part

	behind txn.WriteBehind
	edits  []int                  // the steps that are saves of another program, for all jtx knows made while the file lags
	finish func(*txn.Store) error // what carries the files forward after the last step
	stands bool                   // the clock does, see still
	stores []*txn.Store           // that were opened
}

// step is one change. It returns once it was told of success.
type step func(w *world) error

// world is a directory in which a workload runs.
type world struct {
	dir   string
	fsy   fsys.FS
	store *txn.Store
}

// contents is what some files hold, by relative name. A missing file is missing.
type contents map[string]string

func bootOf(n int) [16]byte { return [16]byte{0xb0, byte(n)} }

func (w *workload) open(fsy fsys.FS, dir string, boots int) (*world, error) {
	opt := txntest.With(txn.Options{Durability: w.level, Actor: "t", InPlace: len(w.links) > 0, WriteBehind: w.behind, OnRecovery: met}, txntest.Hooks{FS: fsys.Anonymous(fsy)})
	if !w.real {
		opt = txntest.With(opt, txntest.Hooks{Boot: bootOf(boots)})
	}
	s, err := txn.Open(dir, opt)
	w.stores = append(w.stores, s)
	return &world{dir: dir, fsy: fsy, store: s}, err
}

// setup makes the directories and files, and does the steps that come before.
func (w *workload) setup(dir string) error {
	for _, name := range w.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if text, ok := w.seed[name]; ok {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
		}
	}
	for link, name := range w.links {
		if err := os.Link(filepath.Join(dir, name), filepath.Join(dir, link)); err != nil {
			return err
		}
	}
	world, err := w.open(fsys.OS, dir, 0)
	if err != nil {
		return err
	}
	if w.init {
		if _, _, err := world.store.Init(context.Background(), dir); err != nil {
			return err
		}
	}
	for _, step := range w.ready {
		if err := step(world); err != nil {
			return err
		}
	}
	return world.store.Close()
}

// run does the steps. done is called with the files' contents after each.
func (w *workload) run(fsy fsys.FS, dir string, done func(contents)) error {
	world, err := w.open(fsy, dir, 0)
	if err != nil {
		return err
	}
	for i, step := range w.steps {
		if err := step(world); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		now, err := w.read(dir)
		if err != nil {
			return err
		}
		done(now)
	}
	return nil
}

// read looks at the files as any program does.
func (w *workload) read(dir string) (contents, error) {
	c := contents{}
	for _, name := range w.files {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c[name] = string(data)
	}
	return c, nil
}

// view looks at the files as jtx shows them.
func (w *workload) view(s *txn.Store) (contents, error) {
	c := contents{}
	err := s.View(context.Background(), w.files, func(tx *txn.Tx) error {
		for _, name := range w.files {
			data, err := tx.Bytes(name)
			if errors.Is(err, txn.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			c[name] = string(data)
		}
		return nil
	})
	return c, err
}

func (c contents) equal(d contents) bool { return maps.Equal(c, d) }

// String shows the front of each file.
func (c contents) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "  %s: %d bytes, %.40q\n", name, len(c[name]), c[name])
	}
	return b.String()
}

// do is a step that runs a transaction over files.
func do(files []string, fn func(tx *txn.Tx) error, opts ...txn.Option) step {
	return func(w *world) error {
		res, err := w.store.Do(context.Background(), files, fn, opts...)
		if err == nil && len(res.Warnings) > 0 {
			return fmt.Errorf("warnings: %q", res.Warnings)
		}
		return err
	}
}

// set puts value at /v of each file.
func set(value any, files ...string) step {
	return do(files, func(tx *txn.Tx) error { return setAll(tx, value, files) })
}

func setAll(tx *txn.Tx, value any, files []string) error {
	for _, f := range files {
		if err := tx.Set(f, "/v", value); err != nil {
			return err
		}
	}
	return nil
}

// put writes a whole document, which is recorded as an image.
func put(text string, files ...string) step {
	return do(files, func(tx *txn.Tx) error {
		for _, f := range files {
			if err := tx.Put(f, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

func remove(files ...string) step {
	return do(files, func(tx *txn.Tx) error {
		for _, f := range files {
			if err := tx.Remove(f); err != nil {
				return err
			}
		}
		return nil
	})
}

// save is another program that replaces a file well: synced, renamed, and the
// directory synced.
func save(text, file string) step {
	return func(w *world) error {
		path := filepath.Join(w.dir, file)
		if err := fsys.WriteFileAtomic(w.fsy, path, []byte(text), 0o600); err != nil {
			return err
		}
		return fsys.SyncDir(w.fsy, filepath.Dir(path))
	}
}

// amend is another program that replaces a word of what it finds, and saves well.
func amend(file, old, new string) step {
	return func(w *world) error {
		data, err := os.ReadFile(filepath.Join(w.dir, file))
		if err != nil {
			return err
		}
		return save(strings.Replace(string(data), old, new, 1), file)(w)
	}
}

// carelessSave is another program that renames what it has not synced.
func carelessSave(text, file string) step {
	return func(w *world) error {
		path := filepath.Join(w.dir, file)
		if err := os.WriteFile(path+".swp", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(path+".swp", path)
	}
}

// big is a document of a few sectors, so that it can tear.
func big(v int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  \"v\": %d,\n  \"pad\": [", v)
	for i := range 150 {
		fmt.Fprintf(&b, "\n    \"%d-%d\",", v, i)
	}
	return strings.TrimSuffix(b.String(), ",") + "\n  ]\n}\n"
}

// scratch is a directory in memory, where there is such a place.
func scratch(t testing.TB) string {
	dir, err := crashfs.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// linked checks that the further names still lead to the same files.
func (w *workload) linked(dir string) error {
	for link, name := range w.links {
		a, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		b, err := os.Stat(filepath.Join(dir, link))
		if err != nil {
			return err
		}
		if !os.SameFile(a, b) {
			return fmt.Errorf("%s and %s are two files now", name, link)
		}
	}
	return nil
}

// verify is what must be true of every store at rest.
func verify(s *txn.Store, dir string) error {
	results, err := admin.Verify(context.Background(), s, []string{dir}, admin.VerifyOptions{})
	if err != nil {
		return err
	}
	for _, r := range results {
		switch {
		case r.Err != nil:
			return fmt.Errorf("verify: %w", r.Err)
		case r.Unfinished, r.Foreign:
			return fmt.Errorf("verify: %s: unfinished %v, foreign %v", r.File, r.Unfinished, r.Foreign)
		}
	}
	return nil
}

// sweep runs recovery over everything. No file may be left with an error.
func sweep(s *txn.Store, dir string) error {
	r, err := admin.Recover(context.Background(), s, []string{dir}, admin.RecoverOptions{})
	if err != nil {
		return err
	}
	for _, f := range r.Files {
		if f.Err != nil {
			return f.Err
		}
	}
	return nil
}

// journalOf is the directory of a file's journal, where it has one.
func journalOf(dir, file string) string {
	for at := filepath.Dir(file); ; at = filepath.Dir(at) {
		rel, err := filepath.Rel(at, file)
		if err != nil {
			panic(err)
		}
		name := strings.ReplaceAll(rel, "/", "%2F")
		if len(name) > 120 {
			name = fmt.Sprintf("%%%%%x", sha256.Sum256([]byte(rel)))
		}
		journal := filepath.Join(dir, at, ".jtx", "files", name)
		if _, err := os.Stat(journal); err == nil || at == "." {
			return journal
		}
	}
}

// versionsOf derives all versions in a file's journal.
func versionsOf(dir, file string) iter.Seq2[string, error] {
	journal := journalOf(dir, file)
	read := func(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(fsys.OS, journal, lsn) }
	return func(yield func(string, error) bool) {
		for rec, err := range wal.Scan(fsys.OS, journal, 1) {
			if err != nil {
				yield("", err)
				return
			}
			if rec.Kind == wal.KindClash && !yield(string(rec.Image), nil) {
				return
			}
			if !rec.MakesVersion() || !rec.After.Exists {
				continue
			}
			data, err := recovery.Render(read, rec.LSN, jsonpatch.Limits{})
			if !yield(string(data), err) || err != nil {
				return
			}
		}
	}
}

// recorded tells whether a version of a file is in its journal, and can be
// rendered from it.
func recorded(dir, file, text string) (bool, error) {
	want := wal.VersionOf([]byte(text))
	journal := journalOf(dir, file)
	read := func(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(fsys.OS, journal, lsn) }
	for rec, err := range wal.Scan(fsys.OS, journal, 1) {
		if err != nil {
			return false, err
		}
		if rec.Kind == wal.KindClash && string(rec.Image) == text {
			return true, nil
		}
		if rec.After != want || !rec.MakesVersion() {
			continue
		}
		data, err := recovery.Render(read, rec.LSN, jsonpatch.Limits{})
		if err == nil && string(data) == text {
			return true, nil
		}
	}
	return false, nil
}
