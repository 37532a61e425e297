package admin_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// A backup is of one moment, while writers go on; what comes back is a transaction like
// any other.
func ExampleBackup() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		log.Fatal(err)
	}
	s, err := txn.Open(data, txn.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	set := func(n int) {
		if _, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", n) }); err != nil {
			log.Fatal(err)
		}
	}
	set(1)
	archive := filepath.Join(dir, "backup.tar.zst")
	m, err := admin.Backup(ctx, s, archive, admin.BackupOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(m.Files), "file")
	set(2)
	res, err := admin.RestoreBackup(ctx, s, archive, nil)
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(data, "a.json"))
	fmt.Print("@", res.Files[0].Rev, " ", string(text), err)
	// Output:
	// 1 file
	// @3 {
	//   "n": 1
	// }
	// <nil>
}

// Every version is derived and compared with its hash, and the file with the newest.
func ExampleVerify() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := txn.Open(dir, txn.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	if _, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 1) }); err != nil {
		log.Fatal(err)
	}
	results, err := admin.Verify(ctx, s, nil, admin.VerifyOptions{})
	for _, r := range results {
		fmt.Println(filepath.Base(r.File), r.Rev, r.Err)
	}
	fmt.Println(err)
	// Output:
	// a.json 1 <nil>
	// <nil>
}
