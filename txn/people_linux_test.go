package txn_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// makeDir makes a directory of a user.
func makeDir(t *testing.T, dir string, uid, gid int, mode fs.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.Chown(dir, uid, gid))
	require.NoError(t, os.Chmod(dir, mode))
}

// sets has a user set a file, and says how that went.
func sets(t *testing.T, uid uint32, dir, file string) (string, error) {
	t.Helper()
	out, err := asUser(t, uid, uid, []uint32{staff}, dir, file, strconv.Itoa(int(uid)))
	return string(out), err
}

func requireSets(t *testing.T, uid uint32, dir, file string) {
	t.Helper()
	out, err := sets(t, uid, dir, file)
	require.NoError(t, err, "user %d, %s: %s", uid, file, out)
}

func idsOf(t *testing.T, name string) (uid, gid uint32) {
	t.Helper()
	info, err := os.Lstat(name)
	require.NoError(t, err)
	st := info.Sys().(*syscall.Stat_t)
	return st.Uid, st.Gid
}

func TestATeamSharesOneWorkspace(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, 0, staff, fs.ModeSetgid|0o775)
	for _, uid := range []uint32{alice, bob, alice} {
		for _, file := range []string{"a.json", "b.json", strconv.Itoa(int(uid)) + ".json"} {
			requireSets(t, uid, dir, file)
		}
	}
	_, gid := idsOf(t, filepath.Join(dir, ".jtx"))
	require.EqualValues(t, uint32(staff), gid)
	require.Equal(t, fs.FileMode(0o664), modeOf(t, dir, "a.json"), "as touch makes it with umask 002")
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	require.Len(t, verify(t, s), 4)
	out, err := sets(t, eve, dir, "a.json") // in the group by her process, but see below
	require.NoError(t, err, out)
	other, err := asUser(t, eve, eve, nil, dir, "a.json", "x")
	require.Error(t, err)
	require.Contains(t, string(other), "permission denied")
}

func TestEachUserOfAStickyDirectoryHasTheirOwn(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, 0, 0, fs.ModeSticky|0o777)
	for _, uid := range []uint32{alice, bob, alice, bob} {
		requireSets(t, uid, dir, strconv.Itoa(int(uid))+".json")
		meta := filepath.Join(dir, ".jtx."+strconv.Itoa(int(uid)))
		owner, _ := idsOf(t, meta)
		require.Equal(t, uid, owner)
		require.Equal(t, fs.FileMode(0o755), modeOf(t, meta))
	}
	makeDir(t, filepath.Join(dir, "bobs"), bob, bob, 0o755)
	requireSets(t, bob, dir, "bobs/x.json")
	_, err := sets(t, bob, dir, strconv.Itoa(alice)+".json")
	require.Error(t, err, "who may not replace the file")

	// One file has one workspace, whoever uses it.
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, strconv.Itoa(alice)+".json", "/n", 1)
	require.NoDirExists(t, filepath.Join(dir, ".jtx.0"))
	require.NoDirExists(t, filepath.Join(dir, ".jtx"))
	requireSets(t, alice, dir, strconv.Itoa(alice)+".json")
	require.Len(t, verify(t, s), 3)
}

// Somebody shuts the others out on purpose.
func TestAWorkspaceThatIsInTheWay(t *testing.T) {
	for name, mode := range map[string]fs.FileMode{"sticky": fs.ModeSticky | 0o777, "open": 0o777} {
		t.Run(name, func(t *testing.T) {
			dir := sharedDir(t)
			makeDir(t, dir, 0, 0, mode)
			makeDir(t, filepath.Join(dir, ".jtx"), eve, eve, 0o755)
			makeDir(t, filepath.Join(dir, ".jtx."+strconv.Itoa(alice)), eve, eve, 0o700)
			makeDir(t, filepath.Join(dir, "sub"), alice, alice, 0o755)
			requireSets(t, alice, dir, "sub/a.json")
			out, err := sets(t, alice, dir, "a.json")
			if mode&fs.ModeSticky != 0 {
				require.NoError(t, err, out)
				requireSets(t, alice, dir, "a.json")
				return
			}
			require.Error(t, err)
			require.Contains(t, out, "belongs to somebody else")
		})
	}
}

// A workspace that can't be used covers nothing below it.
func TestAWorkspaceAboveThatCannotBeUsed(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, meta string){
		"unreadable": func(t *testing.T, meta string) { require.NoError(t, os.Chmod(meta, 0o700)) },
		"foreign":    func(t *testing.T, meta string) { require.NoError(t, os.Chown(meta, eve, eve)) },
		"a file": func(t *testing.T, meta string) {
			require.NoError(t, os.RemoveAll(meta))
			write(t, meta, "")
		},
		"a link": func(t *testing.T, meta string) {
			require.NoError(t, os.Rename(meta, meta+".away"))
			require.NoError(t, os.Symlink(meta+".away", meta))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sharedDir(t)
			s, err := txn.Open(dir, txn.Options{})
			require.NoError(t, err)
			_, _, err = s.Init(context.Background(), dir)
			require.NoError(t, err)
			set(t, s, "top.json", "/n", 1)
			makeDir(t, filepath.Join(dir, "sub"), alice, alice, 0o755)
			spoil(t, filepath.Join(dir, ".jtx"))
			requireSets(t, alice, dir, "sub/a.json")
			requireSets(t, alice, dir, "sub/a.json")
			require.DirExists(t, filepath.Join(dir, "sub", ".jtx"))
			out, err := sets(t, alice, dir, "top.json")
			require.Error(t, err)
			require.NotContains(t, out, "panic")
		})
	}
}

// Who may not reach a file does not reach its history either.
func TestADirectoryThatKeepsPeopleOutHasItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		uid, gid int
		mode     fs.FileMode
	}{
		"others are kept out": {0, 0, 0o750},
		"all are":             {0, 0, 0o700},
		"only looking around": {0, 0, 0o711},
		"another's":           {alice, 0, 0o755},
		"another group's":     {0, staff, 0o755},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sharedDir(t)
			s, err := txn.Open(dir, txn.Options{Verb: "set"})
			require.NoError(t, err)
			_, _, err = s.Init(context.Background(), dir)
			require.NoError(t, err)
			private := filepath.Join(dir, "in", "private")
			makeDir(t, filepath.Join(dir, "in"), 0, 0, 0o755)
			makeDir(t, private, c.uid, c.gid, c.mode)
			makeDir(t, filepath.Join(private, "deep", "er"), c.uid, c.gid, c.mode)
			makeDir(t, filepath.Join(private, "deep"), c.uid, c.gid, c.mode)
			set(t, s, "in/open.json", "/n", 1)
			set(t, s, "in/private/deep/er/s.json", "/secret", 1)
			set(t, s, "in/private/t.json", "/secret", 1)
			require.DirExists(t, filepath.Join(private, ".jtx"))
			require.NoDirExists(t, filepath.Join(private, "deep", ".jtx"))
			require.NoDirExists(t, filepath.Join(dir, "in", ".jtx"))
			for name, text := range everything(t, filepath.Join(dir, ".jtx")) {
				require.NotContains(t, name, "private")
				require.NotContains(t, text, "private")
				require.NotContains(t, text, "secret")
			}
			require.Len(t, verify(t, s), 3)
			_, err = s.Do(context.Background(), []string{"in/open.json", "in/private/t.json"}, func(tx *txn.Tx) error {
				require.NoError(t, tx.Set("in/open.json", "/n", 2))
				return tx.Set("in/private/t.json", "/n", 2)
			})
			require.NoError(t, err, "units over several workspaces")
			verify(t, s)
		})
	}
}

// A directory that was narrowed when it had histories: they are its owner's alone.
func TestADirectoryThatIsNarrowedLater(t *testing.T) {
	for _, how := range []string{"a write", "recover"} {
		dir := sharedDir(t)
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		_, _, err = s.Init(context.Background(), dir)
		require.NoError(t, err)
		makeDir(t, filepath.Join(dir, "d"), 0, 0, 0o755)
		set(t, s, "d/s.json", "/n", 1)
		journal := filepath.Join(dir, ".jtx", "files", "d%2Fs.json")
		require.Equal(t, fs.FileMode(0o755), modeOf(t, journal))
		require.NoError(t, os.Chmod(filepath.Join(dir, "d"), 0o700))
		require.NoError(t, s.Close())
		s, err = txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		if how == "recover" {
			_, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
			require.NoError(t, err)
		} else {
			set(t, s, "d/s.json", "/n", 2)
		}
		require.Equal(t, fs.FileMode(0o700), modeOf(t, journal), how)
		set(t, s, "d/s.json", "/n", 3)
		require.Equal(t, fs.FileMode(0o700), modeOf(t, journal), how)
		verify(t, s)
	}
}

// Root's own new file, in a user's directory, is not the user's.
func TestRootMakesASecretFileInAUsersDirectory(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, alice, alice, 0o755)
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, "s.json", "/secret", 1)
	require.Equal(t, fs.FileMode(0o600), modeOf(t, dir, "s.json"))
	uid, _ := idsOf(t, filepath.Join(dir, ".jtx", "files", "s.json"))
	require.Zero(t, uid)
	require.Equal(t, fs.FileMode(0o700), modeOf(t, dir, ".jtx", "files", "s.json"))
	owner, _ := idsOf(t, filepath.Join(dir, ".jtx"))
	require.EqualValues(t, alice, owner, "but the workspace is")
	requireSets(t, alice, dir, "a.json")
}

// A file that is opened later takes its journal along, all of it.
func TestAJournalMadeUnderAStrictUmaskIsOpenedInside(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, 0, staff, fs.ModeSetgid|0o775)
	old := syscall.Umask(0o077)
	s, err := txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 1)
	syscall.Umask(old)
	require.Equal(t, fs.FileMode(0o600), modeOf(t, dir, "a.json"))
	require.NoError(t, s.Close())
	require.NoError(t, os.Chmod(filepath.Join(dir, "a.json"), 0o664))
	s, err = txn.Open(dir, txn.Options{})
	require.NoError(t, err)
	set(t, s, "a.json", "/n", 2)
	require.NoError(t, s.Close())
	requireSets(t, bob, dir, "a.json")
	requireSets(t, alice, dir, "a.json")
}

// Nobody can harm a history who can't harm the file.
func TestAJournalIsNotForWhoMayOnlyWriteTheFile(t *testing.T) {
	for name, c := range map[string]struct{ dir, file, want fs.FileMode }{
		"all write the file":         {0o755, 0o666, 0o755},
		"all write both":             {0o777, 0o666, 0o777},
		"the group writes the file":  {0o755, 0o664, 0o755},
		"the group writes both":      {0o775, 0o664, 0o775},
		"all the file, group both":   {0o775, 0o666, 0o775},
		"all write the directory":    {0o777, 0o644, 0o755},
		"the directory keeps theirs": {fs.ModeSticky | 0o777, 0o666, 0o755},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			require.NoError(t, os.Chmod(dir, c.dir))
			a := filepath.Join(dir, "a.json")
			write(t, a, `{"n":1}`)
			require.NoError(t, os.Chmod(a, c.file))
			set(t, s, "a.json", "/n", 2)
			meta := ".jtx"
			if c.dir&fs.ModeSticky != 0 {
				meta += "." + strconv.Itoa(os.Geteuid())
			}
			require.Equal(t, c.want, modeOf(t, dir, meta, "files", "a.json"))
		})
	}
}

func TestANewFilesModeIsThatOfTouch(t *testing.T) {
	for _, umask := range []int{0, 0o002, 0o022, 0o027, 0o077} {
		for _, mode := range []fs.FileMode{0o700, 0o711, 0o755, 0o775, 0o770, 0o777, fs.ModeSetgid | 0o775} {
			s, dir := openStore(t)
			require.NoError(t, os.Chmod(dir, mode))
			old := syscall.Umask(umask)
			write(t, filepath.Join(dir, "touched"), "")
			f, err := os.OpenFile(filepath.Join(dir, "touch"), os.O_CREATE, 0o666)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			set(t, s, "a.json", "/n", 1)
			syscall.Umask(old)
			want := modeOf(t, dir, "touch")
			require.Equal(t, want, modeOf(t, dir, "a.json"), "umask %o, directory %v", umask, mode)
			journal := modeOf(t, dir, ".jtx", "files", "a.json")
			require.Zero(t, journal&0o055&^(want|want>>2), "umask %o, directory %v: %v", umask, mode, journal)
		}
	}
}

// Each user has a log of their own, that tells nobody what they may not know.
func TestTheLogOfEachUser(t *testing.T) {
	for name, c := range map[string]struct{ root, log fs.FileMode }{
		"for all":      {0o775, 0o644},
		"for the team": {0o770, 0o600},
		"not to list":  {0o771, 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sharedDir(t)
			makeDir(t, dir, 0, staff, fs.ModeSetgid|c.root)
			s, err := txn.Open(dir, txn.Options{Verb: "set"})
			require.NoError(t, err)
			ctx := context.Background()
			_, _, err = s.Init(ctx, dir)
			require.NoError(t, err)
			requireSets(t, alice, dir, "open.json")
			makeDir(t, filepath.Join(dir, "d"), 0, staff, fs.ModeSetgid|c.root)
			set(t, s, "d/later.json", "/n", 1)
			write(t, filepath.Join(dir, "secret.json"), `{"pw":"hunter2"}`)
			require.NoError(t, os.Chmod(filepath.Join(dir, "secret.json"), 0o600))
			fails := func(file string) {
				_, err := s.Do(ctx, []string{file}, func(tx *txn.Tx) error {
					return tx.Patch(file, []byte(`[{"op":"test","path":"/pw","value":"guess-of-hunter2"}]`))
				})
				require.Error(t, err)
			}
			fails("secret.json")
			require.NoError(t, os.Chmod(filepath.Join(dir, "d"), 0o700))
			set(t, s, "d/later.json", "/n", 2)
			logs := filepath.Join(dir, ".jtx", "log")
			own := filepath.Join(logs, "0.ndjson")
			require.Equal(t, c.log, modeOf(t, own))
			require.Equal(t, c.log, modeOf(t, filepath.Join(logs, strconv.Itoa(alice)+".ndjson")))
			text := read(t, own)
			if c.log == 0o644 {
				require.NotContains(t, text[strings.LastIndex(strings.TrimSpace(text), "\n"):], "later", "narrowed now")
				require.NotContains(t, text, "hunter2")
			} else {
				require.Contains(t, text, "hunter2", "for its user")
			}
			ops, err := admin.Operations(s, time.Time{})
			require.NoError(t, err)
			require.Len(t, ops, 4, "of both users, for root")
		})
	}
}

// What stands where a log should be is not written to, nor waited for.
func TestALogThatIsNone(t *testing.T) {
	for name, make := range map[string]func(name, aim string) error{
		"a FIFO":      func(name, _ string) error { return syscall.Mkfifo(name, 0o666) },
		"a link":      func(name, aim string) error { return os.Symlink(aim, name) },
		"a directory": func(name, _ string) error { return os.Mkdir(name, 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := txn.Open(dir, txn.Options{Verb: "set"})
			require.NoError(t, err)
			set(t, s, "a.json", "/n", 1)
			logs := filepath.Join(dir, ".jtx", "log")
			own := filepath.Join(logs, strconv.Itoa(os.Geteuid())+".ndjson")
			require.NoError(t, os.Remove(own))
			aim := filepath.Join(dir, "precious")
			write(t, aim, "mine\n")
			require.NoError(t, make(own, aim))
			set(t, s, "a.json", "/n", 2)
			_, err = admin.Operations(s, time.Time{})
			if name != "a link" { // which may not be passed over in silence
				require.NoError(t, err)
			}
			require.Equal(t, "mine\n", read(t, aim))
		})
	}
}
