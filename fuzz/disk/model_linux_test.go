package disk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
)

// key is the count of one worker in one counter.
type key struct {
	counter string
	worker  int
}

// model is what the workers were told.
type model struct {
	base map[key]int  // before they began
	said []said       // in order
	seen map[key]bool // every key there is
}

type said struct {
	word  string
	key   key
	count int
	at    int // the latest moment at which it was said
}

func newModel() *model { return &model{base: map[key]int{}, seen: map[key]bool{}} }

func (m *model) note(word string, k key, count, at int) {
	m.seen[k] = true
	m.said = append(m.said, said{word, k, count, at})
}

// bounds are what a count may be after a power cut at a moment: shown to any
// reader at least, committed at least, and at most.
type bounds struct{ shown, committed, tried int }

func (m *model) bounds(at int) map[key]bounds {
	b := map[key]bounds{}
	for k := range m.seen {
		n := m.base[k]
		b[k] = bounds{n, n, n}
	}
	for _, s := range m.said {
		k := b[s.key]
		switch {
		case s.word == "try":
			k.tried++
		case s.at > at:
		case s.word == "fail": // so nothing was changed
			k.tried--
		case s.word == "ack":
			k.shown, k.committed = s.count, s.count
		case s.word == "lag":
			k.committed = s.count
		}
		b[s.key] = k
	}
	return b
}

// acked is the number of transactions that were acknowledged.
func (m *model) acked(at int) int {
	n := 0
	for _, s := range m.said {
		if (s.word == "ack" || s.word == "lag") && s.at <= at {
			n++
		}
	}
	return n
}

// counts reads a file as any program does.
func counts(dir, file string) (map[string]int, error) {
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	var doc struct{ By map[string]int }
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s holds %d bytes that are no document: %w", file, len(data), err)
	}
	return doc.By, nil
}

// plain checks what any program sees: every file whole, with what least says, and
// not more than was tried.
func plain(dir string, all map[key]bounds, least func(bounds) int) error {
	for k, b := range all {
		for _, file := range filesOf(k.counter) {
			by, err := counts(dir, file)
			if errors.Is(err, fs.ErrNotExist) && least(b) == 0 {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", nameOf(k.worker), err)
			}
			if n := by[nameOf(k.worker)]; n < least(b) || n > b.tried {
				return fmt.Errorf("%s: %s has %d, should have %d to %d", file, nameOf(k.worker), n, least(b), b.tried)
			}
		}
	}
	return nil
}

// check looks at a directory after a power cut at a moment, before and after
// recovery, and goes on with it.
func (m *model) check(dir string, boot, at int) error {
	all := m.bounds(at)
	if err := plain(dir, all, func(b bounds) int { return b.shown }); err != nil {
		return fmt.Errorf("to a plain reader: %w", err)
	}
	s, err := txn.Open(dir, txntest.With(txn.Options{}, txntest.Hooks{Boot: bootOf(boot)}))
	if err != nil {
		return err
	}
	defer s.Close() // it must not keep the disk from being unmounted
	if err := inStep(s); err != nil {
		return fmt.Errorf("to jtx, before recovery: %w", err)
	}
	if err := sweep(s, dir); err != nil {
		return fmt.Errorf("recovery: %w", err)
	}
	if err := plain(dir, all, func(b bounds) int { return b.committed }); err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	if err := pairEqual(dir); err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	if err := verify(s, dir); err != nil {
		return err
	}
	if err := historyIn(s, dir, all); err != nil {
		return err
	}
	return goOn(s, dir)
}

// rebase takes what is there now for what the next workers begin with.
func (m *model) rebase(dir string) error {
	m.said = nil
	for k := range m.seen {
		by, err := counts(dir, filesOf(k.counter)[0])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		m.base[k] = by[nameOf(k.worker)]
	}
	return nil
}

// inStep looks at both files of the pair as jtx shows them.
func inStep(s *txn.Store) error {
	files := filesOf(pairCounter)
	return s.View(context.Background(), files, func(tx *txn.Tx) error {
		var by [2]map[string]int
		for i, f := range files {
			if err := tx.Decode(f, "/by", &by[i]); err != nil && !errors.Is(err, txn.ErrNotFound) {
				return err
			}
		}
		if !maps.Equal(by[0], by[1]) {
			return fmt.Errorf("the pair is out of step: %v, %v", by[0], by[1])
		}
		return nil
	})
}

func pairEqual(dir string) error {
	files := filesOf(pairCounter)
	left, lerr := counts(dir, files[0])
	right, rerr := counts(dir, files[1])
	if !maps.Equal(left, right) || (lerr == nil) != (rerr == nil) {
		return fmt.Errorf("the pair is out of step: %v (%w), %v (%w)", left, lerr, right, rerr)
	}
	return nil
}

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

func verify(s *txn.Store, dir string) error {
	results, err := admin.Verify(context.Background(), s, []string{dir}, admin.VerifyOptions{})
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Err != nil || r.Unfinished || r.Foreign {
			return fmt.Errorf("verify: %s: unfinished %v, foreign %v, %w", r.File, r.Unfinished, r.Foreign, r.Err)
		}
	}
	return nil
}

// historyIn checks that each increment there is was recorded as a transaction of
// its worker: none came in as an edit from outside.
func historyIn(s *txn.Store, dir string, all map[key]bounds) error {
	byCounter := map[string][]int{}
	for k := range all {
		byCounter[k.counter] = append(byCounter[k.counter], k.worker)
	}
	for counter, workers := range byCounter {
		file := filesOf(counter)[0]
		by, err := counts(dir, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		recorded := map[string]int{}
		for e, err := range history.Log(context.Background(), s, []string{file}, history.LogOptions{}) {
			if errors.Is(err, txn.ErrNotFound) {
				break // nobody's first transaction came to its commit
			}
			if err != nil {
				return fmt.Errorf("history of %s: %w", file, err)
			}
			recorded[e.Actor]++
		}
		for _, w := range workers {
			if n := nameOf(w); recorded[n] != by[n] {
				return fmt.Errorf("%s: %s has %d, and %d in the history", file, n, by[n], recorded[n])
			}
		}
	}
	return nil
}

// goOn runs a further transaction over several files.
func goOn(s *txn.Store, dir string) error {
	files := append(filesOf(pairCounter), filesOf(sharedCounter)...)
	_, err := s.Do(context.Background(), files, func(tx *txn.Tx) error {
		for _, f := range files {
			if err := tx.SetPath(f, "/checked", true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return verify(s, dir)
}

// padding makes documents large enough to be torn.
func padding() string { return strings.Repeat("0123456789abcdef", 600) }

// furnish makes the directories, and files that jtx has not seen yet.
func furnish(dir string) error {
	files := slices.Concat(filesOf(pairCounter), filesOf(sharedCounter))
	for _, sub := range []string{"left", "right", "fresh"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for _, f := range files {
		text := fmt.Sprintf("{\n  \"by\": {},\n  \"pad\": %q\n}\n", padding())
		if err := os.WriteFile(filepath.Join(dir, f), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return syncAll(dir)
}
