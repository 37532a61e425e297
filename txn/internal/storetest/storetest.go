// Package storetest is what the tests of txn and of the rooms above it share: a store in an
// empty directory, and each of the usual things done to it, or the test fails.
package storetest

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/txn/txntest"
	"github.com/jtx-project/jtx/wal"
)

// Open gives a store in an empty directory.
func Open(t *testing.T) (*txn.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := txn.Open(dir, txn.Options{Actor: "tester"})
	require.NoError(t, err)
	return s, dir
}

// InMemory lets a test with thousands of syncs make its directories where they cost
// nothing, if there is such a place.
func InMemory(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm")
	}
}

// Write is another program that writes a file.
func Write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// Read is another program that reads a file.
func Read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// Set is a transaction that sets one value.
func Set(t *testing.T, s *txn.Store, file, ptr string, v any, opts ...txn.Option) txn.Result {
	t.Helper()
	res, err := s.Do(context.Background(), []string{file}, func(tx *txn.Tx) error { return tx.Set(file, ptr, v) }, opts...)
	require.NoError(t, err)
	return res
}

// Get is one value.
func Get(t *testing.T, s *txn.Store, file, ptr string) string {
	t.Helper()
	var out string
	require.NoError(t, s.View(context.Background(), []string{file}, func(tx *txn.Tx) error {
		v, err := tx.Get(file, ptr)
		out = string(v)
		return err
	}))
	return out
}

// Stage begins a transaction that sets /n of each file.
func Stage(t *testing.T, s *txn.Store, n int, files ...string) *txn.OpenTx {
	t.Helper()
	ctx := context.Background()
	tx, err := s.Begin(ctx, files, txn.BeginOptions{})
	require.NoError(t, err)
	require.NoError(t, tx.Update(ctx, files, func(tx *txn.Tx) error {
		for _, f := range files {
			if err := tx.Set(f, "/n", n); err != nil {
				return err
			}
		}
		return nil
	}))
	return tx
}

// Restore brings one file back.
func Restore(t *testing.T, s *txn.Store, file string, p history.Point) txn.Result {
	t.Helper()
	res, err := history.Restore(context.Background(), s, []string{file}, p)
	require.NoError(t, err)
	return res
}

// Verify is the checker that every test ends with.
func Verify(t *testing.T, s *txn.Store) []admin.VerifyResult {
	t.Helper()
	res, err := admin.Verify(context.Background(), s, nil, admin.VerifyOptions{})
	require.NoError(t, err)
	for _, r := range res {
		require.NoError(t, r.Err, r.File)
	}
	return res
}

// Everything is all of a directory: names, modes, times and bytes.
func Everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := e.Info()
		require.NoError(t, err)
		all[name] = info.Mode().String() + info.ModTime().String()
		if info.Mode().IsRegular() {
			all[name] += Read(t, name)
		}
		return nil
	}))
	return all
}

// Random gives a generator whose seed is printed, and can be given back in
// $JTX_SEED.
func Random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("JTX_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		seed = n
	}
	t.Logf("JTX_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// HalfGone is a store in another boot, after a unit of p/a.json and q/b.json that was
// acknowledged at level journal, and whose second file has gone with its history.
func HalfGone(t *testing.T) (s *txn.Store, dir string, unit wal.ID) {
	dir = t.TempDir()
	open := func(boot byte) *txn.Store {
		s, err := txn.Open(dir, txntest.With(txn.Options{Actor: "ann", Durability: txn.Journal}, txntest.Hooks{Boot: [16]byte{boot}}))
		require.NoError(t, err)
		return s
	}
	s = open(1)
	for _, f := range []string{"p/a.json", "q/b.json"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755))
		Write(t, filepath.Join(dir, f), `{"n":1}`)
		Set(t, s, f, "/n", 2)
	}
	res, err := s.Do(context.Background(), []string{"p/a.json", "q/b.json"}, func(tx *txn.Tx) error {
		if err := tx.Set("p/a.json", "/n", 3); err != nil {
			return err
		}
		return tx.Set("q/b.json", "/n", 3)
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "q")))
	return open(2), dir, res.ID
}
