package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	recovery "github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
)

// fileTime is long ago, so that nobody waits for a half-written file.
var fileTime = time.Unix(1_600_000_000, 0)

func TestRedactLeavesNoTrace(t *testing.T) {
	const secret = "hunter2-hunter2"
	s, dir := openStore(t)
	path := filepath.Join(dir, "a.json")
	set(t, s, "a.json", "/n", 1)
	set(t, s, "a.json", "/db", map[string]string{"password": secret, "user": "me"})
	set(t, s, "a.json", "/n", 2, txn.WithMessage("now with "+secret))
	write(t, path, `{"n":3,  "db":{"password":"`+secret+`"}}`)
	set(t, s, "a.json", "/n", 4)
	write(t, path, `{"password":"`+secret+`"`)
	require.NoError(t, os.Chtimes(path, fileTime, fileTime))
	restore(t, s, "a.json", history.Point{})

	_, err := admin.Redact(context.Background(), s, "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrNotFound, "it is still in use")
	set(t, s, "a.json", "/db/password", "new")
	open, err := s.Begin(context.Background(), []string{"a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	_, err = admin.Redact(context.Background(), s, "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrConflict)
	require.NoError(t, open.Abort(context.Background()))

	done, err := admin.Redact(context.Background(), s, "a.json", "/db/password")
	require.NoError(t, err)
	require.Equal(t, 1, done.Values)
	require.Equal(t, 1, done.Messages)
	require.Len(t, done.Removed, 1)
	require.Empty(t, done.Elsewhere)
	verify(t, s)
	_, err = admin.Compact(context.Background(), s, nil, admin.Retention{})
	require.NoError(t, err)
	for i, want := range []string{"", "[redacted]", "[redacted]", "[redacted]", "[redacted]", "[redacted]", "new"} {
		v, err := history.ReadVersion(context.Background(), s, "a.json", history.AtRev(uint64(i+1)))
		require.NoError(t, err)
		require.NotContains(t, string(v.Data), secret)
		require.Contains(t, string(v.Data), want)
	}
	for e, err := range history.Log(context.Background(), s, nil, history.LogOptions{Patches: true}) {
		require.NoError(t, err)
		for _, f := range e.Files {
			require.NotContains(t, string(f.Patch.Encode()), secret)
		}
	}
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !strings.HasSuffix(name, ".zst") {
			require.NotContains(t, read(t, name), secret, name)
		}
		return err
	}))
	_, err = admin.Redact(context.Background(), s, "a.json", "/db/password")
	require.ErrorIs(t, err, txn.ErrNotFound)
	set(t, s, "a.json", "/n", 9)
	verify(t, s)
}

// requireNoTrace looks for a secret in all bytes of a directory, compressed ones
// too.
func requireNoTrace(t *testing.T, dir, secret string) {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer dec.Close()
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		require.NotContains(t, name, secret)
		if e.IsDir() {
			return nil
		}
		text := read(t, name)
		if strings.HasSuffix(name, ".zst") {
			data, err := dec.DecodeAll([]byte(text), nil)
			require.NoError(t, err)
			text = string(data)
		}
		require.NotContains(t, text, secret, name)
		return nil
	}))
}

// A secret is looked for wherever somebody who wants to keep it would put it.
func TestRedactWhereverItHides(t *testing.T) {
	inMemory(t)
	ctx := context.Background()
	const secret = "hunter2-hunter2, and so long that errors which tell of it, and the log, cut it short"
	const telling = "hunter2-hunt"
	do := func(t *testing.T, s *txn.Store, patch string, opts ...txn.Option) error {
		_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Patch("a.json", []byte(patch)) }, opts...)
		return err
	}
	journal := func(dir string) string {
		return filepath.Join(dir, ".jtx", "files", "a.json", "00000000000000000001")
	}
	for name, hide := range map[string]func(*testing.T, *txn.Store, string){
		"value": func(*testing.T, *txn.Store, string) {},
		"test operation": func(t *testing.T, s *txn.Store, _ string) {
			require.NoError(t, do(t, s, `[{"op":"test","path":"/pw","value":"`+secret+`"},{"op":"add","path":"/n","value":1}]`))
		},
		"copied and moved within, and gone": func(t *testing.T, s *txn.Store, _ string) {
			require.NoError(t, do(t, s, `[{"op":"copy","from":"/pw","path":"/pw2"},{"op":"remove","path":"/pw2"}]`))
			require.NoError(t, do(t, s, `[{"op":"move","from":"/pw","path":"/pw3"},{"op":"move","from":"/pw3","path":"/pw"}]`))
		},
		"file removed and made again": func(t *testing.T, s *txn.Store, _ string) {
			_, err := s.Do(ctx, []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") }, txn.WithMessage("no more "+secret))
			require.NoError(t, err)
			restore(t, s, "a.json", history.Point{})
		},
		"in place": func(t *testing.T, s *txn.Store, _ string) {
			require.NoError(t, do(t, s, `[{"op":"add","path":"/n","value":1}]`, txn.WithInPlace()))
		},
		"compressed segments": func(t *testing.T, s *txn.Store, _ string) {
			for i := range 100 {
				require.NoError(t, do(t, s, `[{"op":"add","path":"/n","value":"`+strings.Repeat(fmt.Sprint(i), 5000)+`"}]`))
			}
		},
		"message of several files": func(t *testing.T, s *txn.Store, _ string) {
			_, err := s.Do(ctx, []string{"a.json", "b.json"}, func(tx *txn.Tx) error {
				return errors.Join(tx.Set("a.json", "/n", 1), tx.Set("b.json", "/n", 1))
			}, txn.WithMessage("now "+secret))
			require.NoError(t, err)
		},
		"log of operations": func(t *testing.T, s *txn.Store, dir string) {
			logged, err := txn.Open(dir, txn.Options{Verb: "undo"})
			require.NoError(t, err)
			res := set(t, s, "a.json", "/pw", 0) // too short to be looked for
			set(t, s, "a.json", "/pw", secret)
			_, err = history.Undo(ctx, logged, res.ID)
			require.ErrorIs(t, err, txn.ErrConflict)
			require.Contains(t, read(t, filepath.Join(dir, ".jtx", "log", strconv.Itoa(os.Geteuid())+".ndjson")), telling)
		},
		"damaged copy": func(t *testing.T, s *txn.Store, dir string) {
			path := filepath.Join(dir, "a.json")
			write(t, path, `{"pw":"`+secret+`"`)
			require.NoError(t, os.Chtimes(path, fileTime, fileTime))
			restore(t, s, "a.json", history.Point{})
		},
		"journal that was set aside": func(t *testing.T, s *txn.Store, dir string) {
			text := []byte(read(t, journal(dir)))
			text[60] ^= 1
			write(t, journal(dir), string(text))
			_, err := admin.SetAside(ctx, s, "a.json")
			require.NoError(t, err)
		},
		"staged file": func(t *testing.T, s *txn.Store, dir string) {
			write(t, recovery.Temp(filepath.Join(dir, "a.json")), `{"pw":"`+secret+`"}`)
		},
		"generation that was never finished": func(t *testing.T, s *txn.Store, dir string) {
			half := filepath.Join(dir, ".jtx", "files", "a.json", "wal.1.tmp")
			require.NoError(t, os.Mkdir(half, 0o700))
			write(t, filepath.Join(half, filepath.Base(journal(dir))), secret)
			write(t, journal(dir)+".COPY.TEMP", secret)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			set(t, s, "a.json", "/n", 0)
			set(t, s, "a.json", "/pw", secret)
			hide(t, s, dir)
			set(t, s, "a.json", "/pw", "new")
			tried, err := admin.Redact(ctx, s, "a.json", "/pw", txn.DryRun())
			require.NoError(t, err)
			done, err := admin.Redact(ctx, s, "a.json", "/pw")
			require.NoError(t, err)
			require.Equal(t, tried, done)
			verify(t, s)
			_, err = admin.Redact(ctx, s, "a.json", "/pw")
			require.ErrorIs(t, err, txn.ErrNotFound)
			requireNoTrace(t, dir, telling)
		})
	}
}

// The history of another name of the file is named, and can be redacted there.
func TestRedactNamesOtherHistories(t *testing.T) {
	ctx := context.Background()
	const secret = "hunter2-hunter2"
	s, dir := openStore(t)
	set(t, s, "old.json", "/pw", secret)
	_, err := s.Move(ctx, "old.json", "new.json")
	require.NoError(t, err)
	set(t, s, "new.json", "/pw", "changed")
	tried, err := admin.Redact(ctx, s, "new.json", "/pw", txn.DryRun())
	require.NoError(t, err)
	done, err := admin.Redact(ctx, s, "new.json", "/pw")
	require.NoError(t, err)
	require.Equal(t, tried, done)
	require.Equal(t, []string{filepath.Join(dir, "old.json")}, done.AlsoIn)
	done, err = admin.Redact(ctx, s, "old.json", "/pw")
	require.NoError(t, err)
	require.Empty(t, done.AlsoIn)
	require.Empty(t, done.Unreached)
	requireNoTrace(t, dir, secret)
	verify(t, s)
}

func TestRedactNamesHistoriesThatCannotBeRead(t *testing.T) {
	ctx := context.Background()
	s, dir := openStore(t)
	set(t, s, "old.json", "/pw", "hunter2-hunter2")
	_, err := s.Move(ctx, "old.json", "new.json")
	require.NoError(t, err)
	set(t, s, "new.json", "/pw", "changed")
	journal := filepath.Join(dir, ".jtx", "files", "old.json", "00000000000000000001")
	text := []byte(read(t, journal))
	text[60] ^= 1
	write(t, journal, string(text))
	done, err := admin.Redact(ctx, s, "new.json", "/pw")
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "old.json")}, done.Unreached)
}

// What is not cleaned is named: copies, scripts, staged and set-aside content, other
// open transactions, and the value as a key.
func TestRedactNamesEveryPlace(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	s, dir := openStore(t)
	_, _, err := s.Init(ctx, dir)
	require.NoError(t, err)
	const secret = "s3cr3t/with~marks"
	set(t, s, "a.json", "/pw", secret)
	_, err = s.Copy(ctx, "a.json", "copy.json")
	require.NoError(t, err)
	_, err = s.Copy(ctx, "a.json", "moving.json")
	require.NoError(t, err)
	_, err = s.Move(ctx, "moving.json", "moved.json")
	require.NoError(t, err)
	set(t, s, "key.json", "/x", map[string]int{"y": 1})
	set(t, s, "key.json", "/x/s3cr3t~1with~0marks", 1)
	set(t, s, "other.json", "/x", "harmless")
	set(t, s, "a.json", "/pw", "new")
	open := stage(t, s, 1, "pending.json")
	require.NoError(t, open.Update(ctx, nil, func(tx *txn.Tx) error { return tx.Set("pending.json", "/pw", secret) }))
	meta := filepath.Join(dir, ".jtx")
	scripts := filepath.Join(meta, "scripts", "20260101T000000Z-x-old.sh")
	require.NoError(t, os.MkdirAll(filepath.Dir(scripts), 0o755))
	write(t, scripts, "echo "+secret+"\n")
	staged := recovery.Temp(filepath.Join(dir, "other.json"))
	write(t, staged, `{"pw":"`+secret+`"}`)
	damaged := filepath.Join(meta, "files", "other.json", "damaged", "x")
	require.NoError(t, os.MkdirAll(filepath.Dir(damaged), 0o755))
	write(t, damaged, `{"pw":"`+secret)

	done, err := admin.Redact(ctx, s, "a.json", "/pw", txn.DryRun())
	require.NoError(t, err)
	named := func(done admin.Redacted) {
		t.Helper()
		var also []string
		for _, name := range done.AlsoIn {
			also = append(also, filepath.Base(name))
		}
		require.ElementsMatch(t, []string{"copy.json", "key.json", "moved.json", "moving.json"}, also)
		require.Subset(t, done.Places, []string{scripts, staged, damaged})
		require.Len(t, done.Places, 5, "and two of the open transaction: %v", done.Places)
		require.Empty(t, done.Unreached)
	}
	named(done)
	done, err = admin.Redact(ctx, s, "a.json", "/pw")
	require.NoError(t, err)
	named(done)
	verify(t, s)
}

// A transaction of the same user, kept in a workspace elsewhere, has a copy.
func TestRedactSeesTransactionsElsewhere(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx := context.Background()
	base := t.TempDir()
	for _, d := range []string{"v", "w"} {
		require.NoError(t, os.Mkdir(filepath.Join(base, d), 0o755))
	}
	s, err := txn.Open(base, txn.Options{})
	require.NoError(t, err)
	set(t, s, "w/a.json", "/pw", "a-secret-value")
	tx, err := s.Begin(ctx, []string{"v/b.json", "w/a.json"}, txn.BeginOptions{})
	require.NoError(t, err)
	set(t, s, "w/a.json", "/pw", "new")
	_, err = admin.Redact(ctx, s, "w/a.json", "/pw")
	require.ErrorIs(t, err, txn.ErrConflict)
	require.NoError(t, tx.Abort(ctx))
	_, err = admin.Redact(ctx, s, "w/a.json", "/pw")
	require.NoError(t, err)
}
