package txn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

func TestErrorsChangeNothing(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		fn   func(*txn.Tx) error
		want error
	}{
		{"own error", func(tx *txn.Tx) error { return errors.Join(tx.Set("a.json", "/n", 2), boom) }, boom},
		{"not listed", func(tx *txn.Tx) error { return tx.Set("other.json", "/n", 2) }, txn.ErrNotListed},
		{"failed test", func(tx *txn.Tx) error {
			return tx.Patch("a.json", []byte(`[{"op":"replace","path":"/n","value":5},{"op":"test","path":"/n","value":1}]`))
		}, txn.ErrConflict},
		{"missing path", func(tx *txn.Tx) error { return tx.Patch("a.json", []byte(`[{"op":"remove","path":"/x"}]`)) }, txn.ErrConflict},
		{"bad patch", func(tx *txn.Tx) error { return tx.Patch("a.json", []byte(`{"op":"remove"}`)) }, txn.ErrInvalid},
		{"bad pointer", func(tx *txn.Tx) error { return tx.Set("a.json", "n", 1) }, txn.ErrInvalid},
		{"missing parent", func(tx *txn.Tx) error { return tx.Set("a.json", "/x/y", 1) }, txn.ErrConflict},
		{"nothing to delete", func(tx *txn.Tx) error { return tx.Delete("a.json", "/x") }, txn.ErrNotFound},
		{"invalid document", func(tx *txn.Tx) error { return tx.Put("a.json", []byte(`{"a":1,"a":2}`)) }, txn.ErrInvalid},
		{"comments in a strict file", func(tx *txn.Tx) error { return tx.Put("a.json", []byte(`{"a":1} // x`)) }, txn.ErrInvalid},
		{"unmarshallable", func(tx *txn.Tx) error { return tx.Set("a.json", "/f", func() {}) }, txn.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := openStore(t)
			write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
			_, err := s.Do(context.Background(), []string{"a.json"}, c.fn)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, `{"n":1}`, read(t, filepath.Join(dir, "a.json")))
			set(t, s, "a.json", "/n", 3)
			verify(t, s)
		})
	}
}

func TestPanicRollsBackAndGoesOn(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	require.PanicsWithValue(t, "boom", func() {
		_, _ = s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
			_ = tx.Set("a.json", "/n", 2)
			panic("boom")
		})
	})
	require.Equal(t, `{"n":1}`, read(t, filepath.Join(dir, "a.json")))
	set(t, s, "a.json", "/n", 3) // the locks are free
}

func TestTxAfterItsFunction(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	var kept *txn.Tx
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { kept = tx; return nil })
	require.NoError(t, err)
	require.Error(t, kept.Set("a.json", "/n", 2))
}

func TestNoChangeIsNoCommit(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	res := set(t, s, "a.json", "/n", 2)
	require.True(t, res.ID.IsZero())
	require.Equal(t, uint64(2), res.Files[0].Rev)
	require.False(t, res.Files[0].Changed)
}

func TestIfRevision(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	set(t, s, "a.json", "/n", 2)
	set(t, s, "a.json", "/n", 3, s.IfRevision("a.json", 2))
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 4) }, s.IfRevision("a.json", 2))
	require.ErrorIs(t, err, txn.ErrConflict)
}

func TestDryRun(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	res := set(t, s, "a.json", "/n", 2, txn.DryRun())
	require.Equal(t, `[{"op":"replace","path":"/n","value":2}]`, string(res.Files[0].Patch.Encode()))
	require.Equal(t, `{"n":1}`, read(t, filepath.Join(dir, "a.json")))
	require.Empty(t, func() []admin.VerifyResult { r := verify(t, s); return r[:0] }())
}

func TestRemoveAndCreate(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1}`)
	for range 3 {
		_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
		require.NoError(t, err)
		require.NoFileExists(t, filepath.Join(dir, "a.json"))
		_, err = s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Put("a.json", []byte("[1]\n")) })
		require.NoError(t, err)
		require.Equal(t, "[1]\n", read(t, filepath.Join(dir, "a.json")))
		set(t, s, "a.json", "/-", 2)
	}
	verify(t, s)
}

func TestUpdateKeepsWhatTheTypeDoesNotKnow(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, "{\n  \"unknown\": 1e2,\n  \"list\": [1, 2],\n  \"name\": \"x\"\n}\n")
	type doc struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
		List  []int  `json:"list"`
	}
	require.NoError(t, txn.UpdateIn(context.Background(), s, "a.json", func(d *doc) error {
		d.Count++
		d.List = append(d.List, 3)
		return nil
	}))
	require.Equal(t, "{\n  \"unknown\": 1e2,\n  \"list\": [1, 2, 3],\n  \"name\": \"x\",\n  \"count\": 1\n}\n", read(t, a))
}

func TestConcurrentIncrementsLoseNothing(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":0}`)
	const workers, each = 8, 20
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			for range each {
				_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
					var n int
					if err := tx.Decode("a.json", "/n", &n); err != nil {
						return err
					}
					return tx.Set("a.json", "/n", n+1)
				})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, fmt.Sprint(workers*each), get(t, s, "a.json", "/n"))
	verify(t, s)
}

func TestLockTimeoutNamesTheHolder(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":0}`)
	quick, err := txn.Open(dir, txn.Options{LockTimeout: 20 * time.Millisecond})
	require.NoError(t, err)
	_, err = s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		_, err := quick.Do(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil })
		require.ErrorIs(t, err, txn.ErrLockTimeout)
		require.Contains(t, err.Error(), "pid")
		return nil
	})
	require.NoError(t, err)
}

func TestAFailedChangeMakesNoFile(t *testing.T) {
	s, dir := openStore(t)
	_, err := s.Do(context.Background(), []string{"new.json"}, func(tx *txn.Tx) error {
		require.ErrorIs(t, tx.Set("new.json", "/a/b", 1), txn.ErrConflict)
		ok, err := tx.Exists("new.json")
		require.False(t, ok)
		return err
	})
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "new.json"))
}

func TestRemovedAndMadeAnew(t *testing.T) {
	s, dir := openStore(t)
	write(t, filepath.Join(dir, "a.json"), `{"n":1,"m":2}`)
	res, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error {
		if err := tx.Remove("a.json"); err != nil {
			return err
		}
		return tx.Set("a.json", "/m", 3)
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"m":3}`, read(t, filepath.Join(dir, "a.json")))
	for _, op := range res.Files[0].Patch {
		require.NotEmpty(t, op.Path, "%s", res.Files[0].Patch.Encode())
	}
	verify(t, s)
}

// encoding/json takes "Name" for a field called name, so the member that the type
// leaves out is not the one in the file.
func TestUpdateThatCannotBeWrittenFails(t *testing.T) {
	s, dir := openStore(t)
	type person struct {
		Name string `json:"name,omitempty"`
		Age  int    `json:"age"`
	}
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"Name":"x","age":1}`)
	err := txn.UpdateIn(context.Background(), s, "a.json", func(p *person) error {
		require.Equal(t, "x", p.Name)
		p.Name = ""
		return nil
	})
	require.ErrorIs(t, err, txn.ErrInvalid)
	require.Equal(t, `{"Name":"x","age":1}`, read(t, a))
	require.NoError(t, txn.UpdateIn(context.Background(), s, "a.json", func(p *person) error {
		p.Age = 2
		return nil
	}))
	require.Equal(t, `{"Name":"x","age":2}`, read(t, a))
}

// The file that was named last is remembered by that name, and no other is taken
// for it.
func TestFilesAreFoundByEachOfTheirNames(t *testing.T) {
	s, dir := openStore(t)
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	write(t, a, `"a"`)
	write(t, b, `"b"`)
	require.NoError(t, os.Symlink(b, filepath.Join(dir, "link.json")))
	err := s.View(context.Background(), []string{"./a.json", "b.json"}, func(tx *txn.Tx) error {
		for range 2 {
			for name, want := range map[string]string{"./a.json": "a", "a.json": "a", a: "a", "b.json": "b", b: "b", "link.json": "b"} {
				var got string
				require.NoError(t, tx.Decode(name, "", &got))
				require.Equal(t, want, got, name)
			}
			_, err := tx.Get("", "")
			require.ErrorIs(t, err, txn.ErrNotListed)
		}
		return nil
	})
	require.NoError(t, err)
}
