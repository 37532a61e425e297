package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// hintOfGone says, of a file that is not there and has a history, where it is now, or how
// it comes back. It waits for no lock: without an answer there is no hint.
func hintOfGone(name string) string {
	s, err := txn.Open(".", txn.Options{LockTimeout: -1})
	if err != nil {
		return ""
	}
	defer func() { _ = s.Close() }() // it has changed nothing
	last, ok := lastChange(s, name)
	if !ok {
		return ""
	}
	now := ""
	for _, o := range last.Origins {
		if o.How == history.MovedTo {
			now = o.File
		}
	}
	if now == "" && last.After.Exists {
		now = movedTo(s, last)
	}
	if now != "" {
		if _, err := os.Lstat(now); err == nil {
			return fmt.Sprintf("it is %s now", QuoteWord(Shown(now)))
		}
	}
	rev := last.Rev
	if !last.After.Exists {
		rev--
	}
	if rev == 0 {
		return ""
	}
	return fmt.Sprintf("it was there: jtx restore %s brings revision %d back", QuoteWord(Shown(name)), rev)
}

// lastChange is the newest of a file's history, which is that of its former name where
// another program has moved it and nothing is recorded since.
func lastChange(s *txn.Store, name string) (history.FileChange, bool) {
	for e, err := range history.Log(context.Background(), s, []string{name}, history.LogOptions{}) {
		if err != nil || len(e.Files) == 0 {
			break
		}
		return e.Files[0], true
	}
	return history.FileChange{}, false
}

// movedTo is the name in the same directory that another program gave to a file, empty
// where there is none, or what has the name was changed since.
func movedTo(s *txn.Store, last history.FileChange) string {
	dir := filepath.Dir(last.File)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() != last.After.Size {
			continue
		}
		name := filepath.Join(dir, entry.Name())
		if c, ok := lastChange(s, name); ok && c.File == last.File {
			return name
		}
	}
	return ""
}
