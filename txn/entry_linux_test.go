package txn_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/jtx-project/jtx/lockmgr"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
)

// aclEntry is one entry of an access control list: a tag, permissions, an id.
type aclEntry struct {
	tag, perm uint16
	id        uint32
}

const (
	aclUserObj, aclUser, aclGroupObj, aclGroup, aclMask, aclOther = 1, 2, 4, 8, 16, 32

	noID = 1<<32 - 1
)

// setACL gives a file a list, as setfacl(1) does.
func setACL(t *testing.T, name, kind string, entries ...aclEntry) {
	t.Helper()
	le := binary.LittleEndian
	text := le.AppendUint32(nil, 2)
	for _, e := range entries {
		text = le.AppendUint32(le.AppendUint16(le.AppendUint16(text, e.tag), e.perm), e.id)
	}
	err := unix.Setxattr(name, "system.posix_acl_"+kind, text, 0)
	if err == unix.ENOTSUP {
		t.Skip("no access control lists here")
	}
	require.NoError(t, err)
}

func hasACL(t *testing.T, name string) bool {
	t.Helper()
	for _, kind := range []string{"access", "default"} {
		if _, err := unix.Lgetxattr(name, "system.posix_acl_"+kind, nil); err == nil {
			return true
		}
	}
	return false
}

// requireWhole makes sure that entries are whole, and that none is being made.
func requireWhole(t *testing.T, dir string, want int) (names []string) {
	t.Helper()
	files := filepath.Join(dir, ".jtx", "files")
	entries, err := os.ReadDir(files)
	require.NoError(t, err)
	require.Len(t, entries, want)
	for _, e := range entries {
		require.NotContains(t, e.Name(), "%new.")
		info, err := os.Lstat(filepath.Join(files, e.Name(), "lock"))
		require.NoError(t, err)
		require.True(t, info.Mode().IsRegular())
		require.EqualValues(t, lockmgr.FileSize, info.Size())
		names = append(names, filepath.Join(files, e.Name()))
	}
	return names
}

// TestEntryInADirectoryWithADefaultACL: the directory's list lets another user into all
// that is made in it. The journal is for those whom the file's mode means.
func TestEntryInADirectoryWithADefaultACL(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, alice, staff, fs.ModeSetgid|0o770)
	list := []aclEntry{{aclUserObj, 7, noID}, {aclUser, 7, eve}, {aclGroupObj, 7, noID}, {aclMask, 7, noID}, {aclOther, 0, noID}}
	setACL(t, dir, "access", list...)
	setACL(t, dir, "default", list...)
	for _, uid := range []uint32{alice, bob, 0, alice} {
		requireSets(t, uid, dir, "a.json")
	}
	require.True(t, hasACL(t, filepath.Join(dir, "a.json")), "the file keeps its list")
	for _, entry := range requireWhole(t, dir, 1) {
		require.NoError(t, filepath.WalkDir(entry, func(path string, _ fs.DirEntry, err error) error {
			require.NoError(t, err)
			require.False(t, hasACL(t, path), path)
			_, gid := idsOf(t, path)
			require.EqualValues(t, uint32(staff), gid, path)
			return nil
		}))
		require.Equal(t, fs.FileMode(0o770), modeOf(t, entry))
	}
	out, err := asUser(t, eve, eve, nil, dir, "a.json", "x")
	require.Error(t, err)
	require.Contains(t, string(out), "permission denied")
}

// TestJournalOfAFileWithAnACL: the bits of a file's group are then the most that its list
// gives to anybody.
func TestJournalOfAFileWithAnACL(t *testing.T) {
	obj := func(group, mask, other uint16, named ...aclEntry) []aclEntry {
		list := []aclEntry{{aclUserObj, 6, noID}}
		for _, e := range named {
			if e.tag == aclUser {
				list = append(list, e)
			}
		}
		list = append(list, aclEntry{aclGroupObj, group, noID})
		for _, e := range named {
			if e.tag == aclGroup {
				list = append(list, e)
			}
		}
		return append(list, aclEntry{aclMask, mask, noID}, aclEntry{aclOther, other, noID})
	}
	for name, c := range map[string]struct {
		list []aclEntry
		want fs.FileMode
	}{
		"a user, and not the group":            {obj(0, 6, 0, aclEntry{aclUser, 6, bob}), 0o700},
		"a user, and the group may read":       {obj(4, 6, 0, aclEntry{aclUser, 6, bob}), 0o750},
		"the mask takes it away":               {obj(6, 0, 4, aclEntry{aclUser, 6, bob}), 0o700},
		"a user who may only read":             {obj(6, 6, 4, aclEntry{aclUser, 4, bob}), 0o775},
		"all but one user":                     {obj(4, 4, 4, aclEntry{aclUser, 0, bob}), 0o700},
		"all but one group":                    {obj(4, 4, 4, aclEntry{aclGroup, 0, eve}), 0o750},
		"the group is shut out, others aren't": {obj(0, 4, 4, aclEntry{aclUser, 4, bob}), 0o705},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := openStore(t)
			require.NoError(t, os.Chmod(dir, 0o775))
			a := filepath.Join(dir, "a.json")
			write(t, a, `{"n":1}`)
			setACL(t, a, "access", c.list...)
			for n := range 3 {
				set(t, s, "a.json", "/n", n+2)
				require.Equal(t, c.want, modeOf(t, dir, ".jtx", "files", "a.json"))
			}
			for _, v := range verify(t, s) {
				require.NoError(t, v.Err)
			}
		})
	}
}

// TestEntryOfALongName: the name of an entry is never longer than file systems allow that
// encrypt names.
func TestEntryOfALongName(t *testing.T) {
	s, dir := openStore(t)
	for _, name := range []string{strings.Repeat("a", 115) + ".json", strings.Repeat("b", 116) + ".json", strings.Repeat("ö", 60) + ".json"} {
		set(t, s, name, "/n", 1)
		set(t, s, name, "/n", 2)
	}
	hashed := 0
	for _, entry := range requireWhole(t, dir, 3) {
		require.LessOrEqual(t, len(filepath.Base(entry)), 120)
		if strings.HasPrefix(filepath.Base(entry), "%%") {
			hashed++
			require.FileExists(t, filepath.Join(dir, read(t, filepath.Join(entry, "path"))))
		}
	}
	require.Equal(t, 2, hashed)
	require.Len(t, verify(t, s), 3)
}

// TestEntriesThatWereNeverMade: what a maker left that was killed is no file's, and is
// removed once it has no process that still makes it.
func TestEntriesThatWereNeverMade(t *testing.T) {
	s, dir := openStore(t)
	set(t, s, "a.json", "/n", 1)
	left := func(age time.Duration) string {
		id := ulid.MustNew(ulid.Timestamp(time.Now().Add(-age)), ulid.DefaultEntropy())
		path := filepath.Join(dir, ".jtx", "files", "%new."+id.String())
		require.NoError(t, os.Mkdir(path, 0o700))
		write(t, filepath.Join(path, "lock"), "")
		return path
	}
	old, young := left(2*time.Hour), left(time.Minute)
	require.Len(t, verify(t, s), 1)
	report, err := admin.Recover(context.Background(), s, nil, admin.RecoverOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, []string{old}, report.Removed)
	require.DirExists(t, old)
	report, err = admin.Recover(context.Background(), s, nil, admin.RecoverOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{old}, report.Removed)
	require.Equal(t, 1, report.Total)
	require.NoDirExists(t, old)
	require.DirExists(t, young)
}

// TestTwoProcessesMakeOneEntry: one of them makes it, and both use it.
func TestTwoProcessesMakeOneEntry(t *testing.T) {
	dir := sharedDir(t)
	makeDir(t, dir, alice, staff, fs.ModeSetgid|0o775)
	requireSets(t, alice, dir, "first.json") // so that it is not the workspace that they make
	const rounds = 4
	for round := range rounds {
		file := fmt.Sprintf("%d.json", round)
		var wg sync.WaitGroup
		outs, errs := make([]string, 2), make([]error, 2)
		for i, uid := range []uint32{alice, bob} {
			wg.Go(func() { outs[i], errs[i] = sets(t, uid, dir, file) })
		}
		wg.Wait()
		for i := range errs {
			require.NoError(t, errs[i], "%s", outs[i])
		}
		s, err := txn.Open(dir, txn.Options{})
		require.NoError(t, err)
		res := set(t, s, file, "/n", round)
		require.EqualValues(t, 3, res.Files[0].Rev)
	}
	requireWhole(t, dir, rounds+1)
}

// TestStoresMakeOneEntry: stores of one process, that share no lock table.
func TestStoresMakeOneEntry(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	s, dir := openStore(t)
	set(t, s, "first.json", "/n", 1)
	const stores = 8
	var wg sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, stores)
	for i := range stores {
		wg.Go(func() {
			other, err := txn.Open(dir, txn.Options{})
			<-start
			if err == nil {
				_, err = other.Do(context.Background(), []string{"a.json"}, func(tx *txn.Tx) error { return tx.Set("a.json", fmt.Sprintf("/%d", i), i) })
			}
			errs[i] = err
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	requireWhole(t, dir, 2)
	require.Equal(t, fs.FileMode(0o750), modeOf(t, dir, ".jtx", "files", "a.json"))
	require.Equal(t, fs.FileMode(0o640), modeOf(t, dir, ".jtx", "files", "a.json", "lock"))
	require.Len(t, strings.Split(read(t, filepath.Join(dir, "a.json")), ","), stores)
}
