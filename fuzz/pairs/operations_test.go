package pairs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// document is a file's value, and state those of all files, by relative name.
type (
	document map[string]any
	state    map[string]document
)

func (s state) clone() state {
	c := state{}
	for name, doc := range s {
		c[name] = maps.Clone(doc)
	}
	return c
}

// world is a directory in which operations run. Its workspace p has a and b, which some
// units change together, and q has d.
type world struct {
	dir   string
	fsy   fsys.FS
	store *txn.Store
	boot  [16]byte
	level txn.Durability
	undo  map[string]wal.ID // the transaction that undo takes back, by file
	// point is told where an operation is acknowledged before it returns.
	point func()
}

// on says which file an operation is for, and which number it writes.
type on struct {
	file string // fileA or fileB
	n    int
}

const (
	fileA, fileB, fileD = "p/a.json", "p/b.json", "q/d.json"
	secret              = "hunter2-and-more"
)

// operation is a verb of jtx.
type operation struct {
	name string
	run  func(w *world, on on) error
	// apply does the same to a model. It is false where the operation is refused.
	apply func(s state, on on) bool
	// damages tells that the journal has to be damaged beforehand. Until the operation
	// has been done again nothing else can be.
	damages bool
	// refused tells of operations which, if they came before, may keep it from being
	// done, whatever the model says.
	refused []string
}

// operations are all that are paired.
var operations = []operation{
	{name: "set", run: setting("v"), apply: sets("v")},
	{name: "unit of two", run: func(w *world, on on) error {
		return w.do([]string{fileA, fileB}, func(tx *txn.Tx) error { return errors.Join(tx.Set(fileA, "/u", on.n), tx.Set(fileB, "/u", on.n)) })
	}, apply: func(s state, on on) bool { return s.put(fileA, "u", on.n) && s.put(fileB, "u", on.n) }},
	{name: "unit over two workspaces", run: func(w *world, on on) error {
		return w.do([]string{on.file, fileD}, func(tx *txn.Tx) error { return errors.Join(tx.Set(on.file, "/x", on.n), tx.Set(fileD, "/x", on.n)) })
	}, apply: func(s state, on on) bool { return s.put(on.file, "x", on.n) && s.put(fileD, "x", on.n) }},
	{name: "open transaction", run: openTransaction, apply: sets("t")},
	{name: "undo", run: func(w *world, on on) error {
		_, err := history.Undo(context.Background(), w.store, w.undo[on.file])
		return err
	}, apply: func(s state, on on) bool {
		return s[on.file] != nil && s[on.file]["un"] == 1.0 && s.put(on.file, "un", 0)
	}, refused: []string{"compact", "restore", "undo", "set-aside", "forget"}},
	{name: "restore", run: func(w *world, on on) error {
		_, err := history.Restore(context.Background(), w.store, []string{on.file}, history.AtRev(seenRev))
		return err
	}, apply: func(s state, on on) bool { s[on.file] = seen(); return true }, refused: []string{"compact", "set-aside", "forget"}},
	{name: "mv", run: func(w *world, on on) error {
		_, err := w.store.Move(context.Background(), on.file, on.to("mv"))
		return err
	}, apply: func(s state, on on) bool {
		doc := s[on.file]
		delete(s, on.file)
		s[on.to("mv")] = doc
		return doc != nil
	}},
	{name: "cp", run: func(w *world, on on) error {
		_, err := w.store.Copy(context.Background(), on.file, on.to("cp"))
		return err
	}, apply: func(s state, on on) bool {
		if s[on.file] == nil {
			return false
		}
		s[on.to("cp")] = maps.Clone(s[on.file])
		return true
	}},
	{name: "rm", run: func(w *world, on on) error {
		return w.do([]string{on.file}, func(tx *txn.Tx) error { return tx.Remove(on.file) })
	}, apply: func(s state, on on) bool {
		there := s[on.file] != nil
		delete(s, on.file)
		return there
	}},
	{name: "compact", run: func(w *world, on on) error {
		_, err := admin.Compact(context.Background(), w.store, []string{on.file}, admin.Retention{Revs: 1})
		return err
	}, apply: changesNothing, refused: []string{"set-aside", "forget"}},
	{name: "redact", run: func(w *world, on on) error {
		_, err := admin.Redact(context.Background(), w.store, on.file, "/secret")
		return err
	}, apply: changesNothing, refused: []string{"compact", "redact", "set-aside", "open transaction", "forget"}},
	{name: "fmt", run: func(w *world, on on) error {
		return w.do([]string{on.file}, func(tx *txn.Tx) error { return tx.Format(on.file, jsonpatch.Format{Indent: "\t"}) })
	}, apply: func(s state, on on) bool { return s[on.file] != nil }},
	{name: "forget", run: func(w *world, on on) error {
		return admin.Forget(context.Background(), w.store, on.file)
	}, apply: changesNothing, refused: []string{"forget", "set-aside"}},
	{name: "set-aside", damages: true, run: setAside, apply: changesNothing, refused: []string{"set-aside"}},
	{name: "adoption", run: adoption, apply: func(s state, on on) bool { return s[on.file] != nil && s.put(on.file, "other", on.n) }},
	{name: "backup", run: func(w *world, on on) error {
		_, err := admin.Backup(context.Background(), w.store, filepath.Join(w.dir, fmt.Sprint("backup", on.n)), admin.BackupOptions{})
		return err
	}, apply: changesNothing},
	{name: "recover", run: func(w *world, on on) error { return w.recover(".") }, apply: changesNothing},
	{name: "recover --seen", run: func(w *world, on on) error {
		_, err := admin.Seen(context.Background(), w.store, []string{w.dir})
		return err
	}, apply: changesNothing},
	{name: "write-behind flush", run: func(w *world, on on) error {
		s, err := w.open(txn.WriteBehind{Delay: time.Hour})
		if err != nil {
			return err
		}
		if err := (&world{store: s}).do([]string{on.file}, func(tx *txn.Tx) error { return tx.Set(on.file, "/w", on.n) }); err != nil {
			return errors.Join(err, s.Close())
		}
		w.point()
		return errors.Join(s.Flush(context.Background()), s.Close())
	}, apply: sets("w")},
}

func (on on) to(verb string) string {
	return fmt.Sprintf("%s-%s%d.json", on.file[:len(on.file)-len(".json")], verb, on.n)
}

func changesNothing(state, on) bool { return true }

// put sets a member of a document, which is made if it isn't there.
func (s state) put(file, member string, n int) bool {
	if s[file] == nil {
		s[file] = document{}
	}
	s[file][member] = float64(n)
	return true
}

func sets(member string) func(state, on) bool {
	return func(s state, on on) bool { return s.put(on.file, member, on.n) }
}

func setting(member string) func(*world, on) error {
	return func(w *world, on on) error {
		return w.do([]string{on.file}, func(tx *txn.Tx) error { return tx.Set(on.file, "/"+member, on.n) })
	}
}

func openTransaction(w *world, on on) error {
	ctx := context.Background()
	t, err := w.store.Begin(ctx, []string{on.file}, txn.BeginOptions{})
	if err != nil {
		return err
	}
	if err := t.Update(ctx, []string{on.file}, func(tx *txn.Tx) error { return tx.Set(on.file, "/t", on.n) }); err != nil {
		return errors.Join(err, t.Abort(ctx))
	}
	_, err = t.Commit(ctx, txn.CommitOptions{})
	return err
}

func (w *world) do(files []string, fn func(*txn.Tx) error) error {
	_, err := w.store.Do(context.Background(), files, fn)
	return err
}

func (w *world) open(behind txn.WriteBehind) (*txn.Store, error) {
	opt := txn.Options{Actor: "t", Durability: w.level, WriteBehind: behind}
	return txn.Open(w.dir, txntest.With(opt, txntest.Hooks{FS: fsys.Anonymous(w.fsy), Boot: w.boot}))
}

// recover sweeps a file or a directory. Nothing may be left with an error.
func (w *world) recover(path string) error {
	r, err := admin.Recover(context.Background(), w.store, []string{filepath.Join(w.dir, path)}, admin.RecoverOptions{})
	for _, f := range r.Files {
		err = errors.Join(err, f.Err)
		for _, done := range f.Done {
			err = errors.Join(err, done.Err)
		}
	}
	return err
}

func setAside(w *world, on on) error {
	_, err := admin.SetAside(context.Background(), w.store, on.file)
	return err
}

// adoption is an edit and its recording. Where the edit met a file that a commit had
// removed or moved already, and which only lagged, it is a revision and no file: to the
// model it is refused, since it came too late.
func adoption(w *world, on on) error {
	if err := w.edit(on.file, "other", on.n, true); err != nil {
		return err
	}
	if err := w.recover(on.file); err != nil {
		return err
	}
	_, err := os.Lstat(filepath.Join(w.dir, on.file))
	if errors.Is(err, fs.ErrNotExist) {
		if lost := w.keeps(on.file, "other", on.n); lost != nil {
			return fmt.Errorf("an edit is lost: %v", lost)
		}
	}
	return err
}

// damage breaks the first record of a file's journal.
func (w *world) damage(file string) error {
	segment, err := w.firstSegment(file)
	if err != nil {
		return err
	}
	f, err := w.fsy.OpenFile(segment, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{'!'}, 60)
	return errors.Join(err, f.Sync(), f.Close())
}

// errNoJournal is of a file without a history: none was begun, or it has gone with the
// file.
var errNoJournal = errors.New("no journal")

// firstSegment is the oldest part of a file's journal.
func (w *world) firstSegment(file string) (first string, err error) {
	journal := filepath.Join(w.dir, filepath.Dir(file), ".jtx/files", filepath.Base(file))
	err = filepath.WalkDir(journal, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "damaged" {
			return filepath.SkipDir
		}
		if err == nil && d.Type().IsRegular() && len(d.Name()) == len("00000000000000000001") && first == "" {
			first = path
		}
		return err
	})
	if err == nil && first == "" {
		err = errNoJournal
	}
	return first, err
}
