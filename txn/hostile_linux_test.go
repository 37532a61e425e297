package txn_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

// A FIFO would keep whoever opens it waiting for ever.
func TestAWorkspaceOfSomebodyElseIsNotEvenOpened(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "d")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".jtx"), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, ".jtx", "format"), 0o666))
	require.NoError(t, os.Chown(filepath.Join(dir, ".jtx"), 4242, 4242))
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	noop := func(*txn.Tx) error { return nil }
	_, err = s.Do(context.Background(), []string{"a.json"}, noop)
	require.ErrorIs(t, err, txn.ErrUntrusted)
	require.NoError(t, os.Remove(filepath.Join(dir, ".jtx", "format")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".jtx", "format.new"), 0o755))
	_, err = s.Do(context.Background(), []string{"a.json"}, noop)
	require.ErrorIs(t, err, txn.ErrUntrusted)
}

func TestAFormatThatIsNoSmallFile(t *testing.T) {
	s, dir := openStore(t)
	format := filepath.Join(dir, ".jtx", "format")
	require.NoError(t, os.Mkdir(filepath.Dir(format), 0o755))
	use := func() error {
		_, err := s.Do(context.Background(), []string{"a.json"}, func(*txn.Tx) error { return nil })
		return err
	}
	require.NoError(t, syscall.Mkfifo(format, 0o666))
	require.ErrorIs(t, use(), txn.ErrFormat)
	require.NoError(t, os.Remove(format))
	write(t, format, "{")
	require.NoError(t, os.Truncate(format, 1<<40))
	require.ErrorIs(t, use(), txn.ErrFormat)
	require.NoError(t, os.Remove(format))
	require.NoError(t, os.Symlink("/dev/zero", format))
	require.Error(t, use())
}

// Links below .jtx lead to nothing that is written.
func TestLinksBelowTheWorkspaceAreNotFollowed(t *testing.T) {
	for _, link := range []string{"", "lock", "wal.1", "00000000000000000001", "damaged", "damaged/x"} {
		t.Run(strings.ReplaceAll(link, "/", " "), func(t *testing.T) {
			s, dir := openStore(t)
			a := filepath.Join(dir, "a.json")
			write(t, a, `{"n":1}`)
			set(t, s, "b.json", "/n", 2)
			if link != "00000000000000000001" {
				set(t, s, "a.json", "/n", 2)
				letGo(t, dir, "a.json")
			}
			letGo(t, dir, "b.json")
			out := t.TempDir()
			require.NoError(t, os.Chmod(out, 0o700))
			home := filepath.Join(dir, ".jtx", "files", "a.json")
			at := filepath.Join(home, link)
			if link == "damaged/x" {
				require.NoError(t, os.Mkdir(filepath.Dir(at), 0o700))
				at = filepath.Join(home, "damaged", recovery.AsideName(wal.VersionOf([]byte(`{"n":`)))+".tmp")
			}
			require.NoError(t, os.RemoveAll(at))
			require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
			aim := out
			if link == "lock" || link == "00000000000000000001" || link == "damaged/x" {
				aim = filepath.Join(out, "made") // dangling: it would be made
			}
			require.NoError(t, os.Symlink(aim, at))
			if strings.HasPrefix(link, "damaged") {
				write(t, a, `{"n":`)
				old := time.Now().Add(-time.Hour)
				require.NoError(t, os.Chtimes(a, old, old))
			}
			_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", "/n", 3) })
			if link == "wal.1" { // which a journal that is settled has no reason to look for
				require.NoError(t, err)
				_, err = admin.Compact(context.Background(), s, []string{"a.json"}, admin.Retention{})
			}
			require.Error(t, err)
			made, err := os.ReadDir(out)
			require.NoError(t, err)
			require.Empty(t, made)
			info, err := os.Stat(out)
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
		})
	}
}

// A directory on the way to a tracked file has become a link to another place.
func TestASweepWritesNothingBehindALink(t *testing.T) {
	s, dir := openStore(t)
	_, _, err := s.Init(context.Background(), dir)
	require.NoError(t, err)
	d := filepath.Join(dir, "d")
	require.NoError(t, os.Mkdir(d, 0o755))
	write(t, filepath.Join(d, "x.json"), `{"n":1}`)
	set(t, s, "d/x.json", "/n", 2)
	out := t.TempDir()
	require.NoError(t, os.RemoveAll(d))
	require.NoError(t, os.Symlink(out, d))
	_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	made, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, made)
}

// What is no journal, and a journal whose path was cut off while it was written,
// keep nobody from the others.
func TestStrayNamesAmongTheJournals(t *testing.T) {
	s, dir := openStore(t)
	long := strings.Repeat("long", 60) + ".json"
	set(t, s, long, "/n", 1)
	letGo(t, dir, long)
	files := filepath.Join(dir, ".jtx", "files")
	journals, err := os.ReadDir(files)
	require.NoError(t, err)
	require.Len(t, journals, 1)
	require.NoError(t, os.Truncate(filepath.Join(files, journals[0].Name(), "path"), 0))
	s, err = txn.Open(dir, txn.Options{}) // the other one has the journal open still
	require.NoError(t, err)
	set(t, s, long, "/n", 2)
	require.Equal(t, long, read(t, filepath.Join(files, journals[0].Name(), "path")))
	for _, stray := range []string{".DS_Store", "a~", "%zz", "a%2F%2Fb"} {
		require.NoError(t, os.Mkdir(filepath.Join(files, stray), 0o755))
	}
	if got := verify(t, s); len(got) != 1 {
		t.Fatalf("%v", got)
	}
}

func TestANewFilesJournalFollowsTheUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	s, dir := openStore(t)
	require.NoError(t, os.Chmod(dir, 0o755))
	set(t, s, "new.json", "/secret", 1)
	for _, name := range []string{"new.json", ".jtx/files/new.json", ".jtx/files/new.json/lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s %v", name, info.Mode())
	}
}

func TestASecretFileComesBackSecret(t *testing.T) {
	s, dir := openStore(t)
	a := filepath.Join(dir, "a.json")
	write(t, a, `{"secret":1}`)
	require.NoError(t, os.Chmod(a, 0o600))
	set(t, s, "a.json", "/secret", 2)
	_, err := s.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Remove("a.json") })
	require.NoError(t, err)
	_, err = history.Restore(context.Background(), s, []string{"a.json"}, history.Point{})
	require.NoError(t, err)
	info, err := os.Stat(a)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}

// Settings of somebody else, above the files, are not read, and keep nobody from working.
func TestSettingsOfSomebodyElse(t *testing.T) {
	above := sharedDir(t)
	meta := filepath.Join(above, ".jtx")
	dir := filepath.Join(above, "mine")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.Mkdir(meta, 0o755))
	s, err := txn.Open(dir, txn.Options{Verb: "set"})
	require.NoError(t, err)
	_, _, err = s.Init(context.Background(), dir)
	require.NoError(t, err)
	config := filepath.Join(meta, "config.json")
	for name, make := range map[string]func() error{
		"patterns": func() error { return os.WriteFile(config, []byte(`{"protect": ["**"]}`), 0o644) },
		"a FIFO":   func() error { return syscall.Mkfifo(config, 0o666) },
		"huge":     func() error { return errors.Join(os.WriteFile(config, nil, 0o644), os.Truncate(config, 1<<40)) },
	} {
		for _, owner := range []int{4242, os.Geteuid()} {
			require.NoError(t, make(), name)
			require.NoError(t, os.Chown(meta, owner, -1))
			set(t, s, "a.json", "/n", len(name)+owner)
			st, err := admin.Status(context.Background(), s, nil)
			require.Equal(t, owner == os.Geteuid() && name != "patterns", err != nil, name)
			require.Len(t, st.Files, 1, name)
			require.Equal(t, owner == os.Geteuid() && name == "patterns", st.Files[0].Protected, name)
			require.NoError(t, os.Remove(config))
		}
	}
}

// Whoever writes the settings names no files outside by them.
func TestPatternsDoNotLeaveTheWorkspace(t *testing.T) {
	dir := t.TempDir()
	inside, outside := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	require.NoError(t, os.MkdirAll(filepath.Join(inside, "deep"), 0o755))
	require.NoError(t, os.Mkdir(outside, 0o755))
	write(t, filepath.Join(outside, "secret.json"), `{}`)
	require.NoError(t, os.Symlink(outside, filepath.Join(inside, "link")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.json"), filepath.Join(inside, "deep", "s.json")))
	s, err := txn.Open(inside, txn.Options{Verb: "set"})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	write(t, filepath.Join(inside, ".jtx", "config.json"), `{"protect": ["../out/*.json", "link/*.json", "deep/*.json", "/etc/*.json", "**"]}`)
	set(t, s, "a.json", "/n", 2)
	report, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Empty(t, report.Begun)
	_, err = admin.TrackProtected(context.Background(), s)
	require.NoError(t, err)
	st, err := admin.Status(context.Background(), s, nil)
	require.NoError(t, err)
	require.Len(t, st.Files, 1)
	require.NoDirExists(t, filepath.Join(outside, ".jtx"))
}
