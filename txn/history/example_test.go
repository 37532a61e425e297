package history_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/history"
)

// inTempDir gives an example a store in a directory of its own, with a file that has two
// revisions.
func inTempDir() (s *txn.Store, file string, end func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	s, err = txn.Open(dir, txn.Options{Actor: "example"})
	if err != nil {
		log.Fatal(err)
	}
	file = filepath.Join(dir, "a.json")
	for n := 1; n <= 2; n++ {
		_, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/n", n) })
		if err != nil {
			log.Fatal(err)
		}
	}
	return s, file, func() {
		_ = s.Close() // it has nothing to tell: what was committed is in place
		os.RemoveAll(dir)
	}
}

// The newest transactions first; leaving the loop early is cheap.
func ExampleLog() {
	s, file, end := inTempDir()
	defer end()
	for e, err := range history.Log(context.Background(), s, []string{file}, history.LogOptions{Patches: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("@%d %s %s\n", e.Files[0].Rev, e.Actor, e.Files[0].Patch.Encode())
	}
	// Output:
	// @2 example [{"op":"replace","path":"/n","value":2}]
	// @1 example [{"op":"add","path":"","value":{"n":1}}]
}

// What one transaction did is taken back, and what came since stays.
func ExampleUndo() {
	s, file, end := inTempDir()
	defer end()
	ctx := context.Background()
	wrong, err := s.Do(ctx, []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/n", -1) })
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Do(ctx, []string{file}, func(tx *txn.Tx) error { return tx.Set(file, "/later", true) }); err != nil {
		log.Fatal(err)
	}
	if _, err := history.Undo(ctx, s, wrong.ID); err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile(file)
	fmt.Print(string(data), err)
	// Output:
	// {
	//   "n": 2,
	//   "later": true
	// }
	// <nil>
}

// Every transaction since a revision, of any process, each once and in order.
func ExampleWatch() {
	s, file, end := inTempDir()
	defer end()
	for e, err := range history.Watch(context.Background(), s, []string{file}, history.WatchOptions{After: map[string]uint64{file: 0}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("@%d\n", e.Files[0].Rev)
		if e.Files[0].Rev == 2 {
			break
		}
	}
	// Output:
	// @1
	// @2
}
