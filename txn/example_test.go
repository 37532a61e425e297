package txn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/jtx-project/jtx/txn"
)

// inTempDir gives an example two account files and a directory of its own.
func inTempDir() func() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	for name, balance := range map[string]int{"alice.json": 100, "bob.json": 20} {
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "{\n  \"balance\": %d\n}\n", balance), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	if err := os.Chdir(dir); err != nil {
		log.Fatal(err)
	}
	return func() { os.RemoveAll(dir) }
}

// A transfer between two files: both show it, or neither.
func ExampleDo() {
	defer inTempDir()()
	transfer := func(amount int) error {
		return txn.Do([]string{"alice.json", "bob.json"}, func(tx *txn.Tx) error {
			var from, to int
			if err := tx.Decode("alice.json", "/balance", &from); err != nil {
				return err
			}
			if err := tx.Decode("bob.json", "/balance", &to); err != nil {
				return err
			}
			if err := tx.Set("alice.json", "/balance", from-amount); err != nil {
				return err
			}
			if from < amount {
				return errors.New("not enough") // nothing is changed
			}
			return tx.Set("bob.json", "/balance", to+amount)
		})
	}
	fmt.Println(transfer(30))
	fmt.Println(transfer(1000))
	data, _ := os.ReadFile("alice.json")
	fmt.Print(string(data))
	// Output:
	// <nil>
	// not enough
	// {
	//   "balance": 70
	// }
}

// One consistent state of several files, while others write them.
func ExampleView() {
	defer inTempDir()()
	sum := 0
	err := txn.View([]string{"alice.json", "bob.json"}, func(tx *txn.Tx) error {
		for _, file := range []string{"alice.json", "bob.json"} {
			var n int
			if err := tx.Decode(file, "/balance", &n); err != nil {
				return err
			}
			sum += n
		}
		return nil
	})
	fmt.Println(sum, err)
	// Output: 120 <nil>
}

// A typed update: what Account does not know keeps its place and bytes.
func ExampleUpdate() {
	defer inTempDir()()
	type Account struct {
		Balance int      `json:"balance"`
		Tags    []string `json:"tags,omitempty"`
	}
	err := txn.Update("alice.json", func(a *Account) error {
		a.Balance++
		a.Tags = append(a.Tags, "checked")
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	data, _ := os.ReadFile("alice.json")
	fmt.Print(string(data))
	// Output:
	// {
	//   "balance": 101,
	//   "tags": ["checked"]
	// }
}

// A store has options, results, and transactions that outlive a function. Close lets go of
// the locks that it keeps for a moment behind each transaction.
func ExampleStore_Begin() {
	defer inTempDir()()
	ctx := context.Background()
	s, err := txn.Open(".", txn.Options{Actor: "example"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	tx, err := s.Begin(ctx, []string{"alice.json"}, txn.BeginOptions{Message: "close the account"})
	if err != nil {
		log.Fatal(err)
	}
	err = tx.Update(ctx, []string{"alice.json"}, func(tx *txn.Tx) error {
		return tx.Patch("alice.json", []byte(`[{"op": "add", "path": "/closed", "value": true}]`))
	})
	if err != nil {
		log.Fatal(err)
	}
	// Somebody else is faster.
	if err := txn.Do([]string{"alice.json"}, func(tx *txn.Tx) error { return tx.Set("alice.json", "/balance", 0) }); err != nil {
		log.Fatal(err)
	}
	_, err = tx.Commit(ctx, txn.CommitOptions{})
	fmt.Println(errors.Is(err, txn.ErrConflict))
	res, err := tx.Commit(ctx, txn.CommitOptions{Rebase: true})
	fmt.Println(res.Files[0].Rev, err)
	// Output:
	// true
	// 3 <nil>
}

// A process that changes one file often need not wait for the plain file each time: who
// uses jtx sees each acknowledged commit, also after a power cut, and Flush or Close puts
// the file in place.
func ExampleWriteBehind() {
	defer inTempDir()()
	ctx := context.Background()
	s, err := txn.Open(".", txn.Options{WriteBehind: txn.WriteBehind{Delay: time.Second}})
	if err != nil {
		log.Fatal(err)
	}
	for n := range 100 {
		_, err := s.Do(ctx, []string{"alice.json"}, func(tx *txn.Tx) error { return tx.Set("alice.json", "/balance", n) })
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	data, err := os.ReadFile("alice.json")
	fmt.Print(string(data), err)
	// Output:
	// {
	//   "balance": 99
	// }
	// <nil>
}
