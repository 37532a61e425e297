package pairs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// The history that each of a and b has beforehand: as first seen, the secret replaced
// (which is what restore brings back), and un set (which is what undo takes back).
const seenRev = 2

func first() document {
	return document{"v": 0.0, "u": 0.0, "x": 0.0, "t": 0.0, "w": 0.0, "un": 0.0, "note": 0.0, "other": 0.0, "secret": secret, "list": []any{1.0, 2.0}}
}

func seen() document {
	doc := first()
	doc["secret"] = "none"
	return doc
}

func before() document {
	doc := seen()
	doc["un"] = 1.0
	return doc
}

func (d document) text() []byte {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	return append(text, '\n')
}

// setup makes the world as it is before anything is cut off.
func (w *world) setup() (state, error) {
	w.fsy, w.undo = fsys.OS, map[string]wal.ID{}
	s := state{}
	for _, file := range []string{fileA, fileB, fileD} {
		path := filepath.Join(w.dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, first().text(), 0o600); err != nil {
			return nil, err
		}
		s[file] = before()
	}
	store, err := w.open(txn.WriteBehind{})
	if err != nil {
		return nil, err
	}
	w.store = store
	for _, dir := range []string{"p", "q"} {
		if _, _, err := store.Init(context.Background(), filepath.Join(w.dir, dir)); err != nil {
			return nil, err
		}
	}
	for file := range s {
		if err := w.do([]string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/secret", "none") }); err != nil {
			return nil, err
		}
		res, err := store.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/un", 1) })
		if err != nil {
			return nil, err
		}
		w.undo[file] = res.ID
	}
	return s, store.Close()
}

// edit is another program that changes a member and saves: by rename, synced or not. A
// file that is not there, it leaves alone.
func (w *world) edit(file, member string, n int, synced bool) error {
	path := filepath.Join(w.dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("%s is not whole: %w", file, err)
	}
	was := fmt.Sprintf("%q: %v", member, doc[member])
	edited := strings.Replace(string(text), was, fmt.Sprintf("%q: %d", member, n), 1)
	if !strings.Contains(string(text), was) {
		return fmt.Errorf("%s: no %s in %s", file, was, text)
	}
	if synced {
		if err := fsys.WriteFileAtomic(w.fsy, path, []byte(edited), 0o600); err != nil {
			return err
		}
		return fsys.SyncDir(w.fsy, filepath.Dir(path))
	}
	if err := os.WriteFile(path+".swp", []byte(edited), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".swp", path)
}

// read is what any program sees: every document below p and q.
func (w *world) read() (state, error) {
	s := state{}
	for _, dir := range []string{"p", "q"} {
		names, err := filepath.Glob(filepath.Join(w.dir, dir, "*.json"))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			var doc document
			if err := json.Unmarshal(text, &doc); err != nil {
				return nil, fmt.Errorf("%s is not whole: %w: %q", name, err, text)
			}
			s[filepath.Join(dir, filepath.Base(name))] = doc
		}
	}
	return s, nil
}

// verify is what must be true of every store at rest.
func (w *world) verify() error {
	results, err := admin.Verify(context.Background(), w.store, []string{w.dir}, admin.VerifyOptions{})
	for _, r := range results {
		err = errors.Join(err, r.Err)
		if r.Unfinished || r.Foreign {
			err = errors.Join(err, fmt.Errorf("%s: unfinished %v, foreign %v", r.File, r.Unfinished, r.Foreign))
		}
	}
	return err
}

// views compares what jtx shows with what is there.
func (w *world) views(now state) error {
	for file, want := range now {
		var got document
		err := w.store.View(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Decode(file, "", &got) })
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("a view of %s shows %v, there is %v", file, got, want)
		}
	}
	return nil
}

// keeps looks for a text with a member of this value among the versions of a file.
func (w *world) keeps(file, member string, n int) error {
	for entry, err := range history.Log(context.Background(), w.store, []string{file}, history.LogOptions{}) {
		if err != nil {
			return err
		}
		v, err := history.ReadVersion(context.Background(), w.store, file, history.AtRev(entry.Files[0].Rev))
		if err != nil {
			return err
		}
		var doc document
		if v.Exists && json.Unmarshal(v.Data, &doc) == nil && doc[member] == float64(n) {
			return nil
		}
	}
	return fmt.Errorf("%s: no version has %s %d", file, member, n)
}
