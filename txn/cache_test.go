package txn

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// age makes what was just written look written long ago, so that times vouch for
// it.
func age(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		then := time.Now().Add(-time.Hour)
		require.NoError(t, os.Chtimes(name, then, then))
	}
}

// cacheTest is a store that has cached its file.
func cacheTest(t *testing.T) (*Store, string) {
	t.Helper()
	s, file := groupTest(t, Options{})
	dir := filepath.Join(filepath.Dir(file), "p", "q")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	_, _, err := s.Init(context.Background(), filepath.Dir(file))
	require.NoError(t, err)
	file = filepath.Join(dir, "a.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"n": 1}`), 0o644))
	do(t, s, setting(file, "/n", 2), file)
	s.dropParked()
	cacheIt(t, s, file)
	return s, file
}

func (s *Store) dropParked() {
	s.parked.mu.Lock()
	var open []*session
	for _, ses := range s.parked.sessions {
		open = append(open, ses)
	}
	s.parked.mu.Unlock()
	for _, ses := range open {
		ses.yield()
	}
}

func cacheIt(t *testing.T, s *Store, file string) {
	t.Helper()
	tg, err := s.src.Resolve(context.Background(), file)
	require.NoError(t, err)
	require.Nil(t, s.cachedSnapshot([]string{file}))
	age(t, file, wal.StatePath(tg.Dir))
	valueAt(t, s, file, "/n") // settles the new times of the file, perhaps
	age(t, file, wal.StatePath(tg.Dir))
	valueAt(t, s, file, "/n")
	require.NotNil(t, s.cachedSnapshot([]string{file}))
}

// commitBehind is a commit of another store that the file doesn't show yet.
func commitBehind(t *testing.T, s *Store, file string) {
	t.Helper()
	o, err := Open(s.src.Dir, Options{WriteBehind: WriteBehind{Delay: long}})
	require.NoError(t, err)
	old := parkTime
	parkTime = long
	t.Cleanup(func() { parkTime = old })
	do(t, o, setting(file, "/n", 3), file)
	require.Equal(t, `{"n": 2}`, content(t, file))
}

func TestCachedViewsSeeWhatChanges(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *Store, file string){
		"a commit of the store": func(t *testing.T, s *Store, file string) { do(t, s, setting(file, "/n", 3), file) },
		"a commit of another":   func(t *testing.T, s *Store, file string) { do(t, another(t, s), setting(file, "/n", 3), file) },
		"an edit": func(t *testing.T, _ *Store, file string) {
			require.NoError(t, os.WriteFile(file, []byte(`{"n": 3}`), 0o644))
		},
		"an edit by rename": func(t *testing.T, _ *Store, file string) {
			require.NoError(t, os.WriteFile(file+".x", []byte(`{"n": 3}`), 0o644))
			require.NoError(t, os.Rename(file+".x", file))
		},
		"another file under the name": func(t *testing.T, _ *Store, file string) {
			dir := filepath.Dir(file)
			require.NoError(t, os.Rename(dir, dir+".old"))
			require.NoError(t, os.Mkdir(dir, 0o755))
			require.NoError(t, os.WriteFile(file, []byte(`{"n": 3}`), 0o644))
		},
		"a commit that another has not put in place": commitBehind,
		"one in a copy that has taken the workspace's place": func(t *testing.T, s *Store, file string) {
			meta := filepath.Join(s.src.Dir, workspace.MetaDir)
			require.NoError(t, os.Rename(meta, meta+".old"))
			require.NoError(t, os.CopyFS(meta, os.DirFS(meta+".old")))
			commitBehind(t, s, file)
		},
		"a commit in a nearer workspace": func(t *testing.T, s *Store, file string) {
			o := another(t, s)
			_, created, err := o.Init(context.Background(), filepath.Dir(filepath.Dir(file)))
			require.NoError(t, err)
			require.True(t, created)
			require.Nil(t, s.cachedSnapshot([]string{file}))
			do(t, o, setting(file, "/n", 3), file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, file := cacheTest(t)
			require.Equal(t, "2", valueAt(t, s, file, "/n"))
			change(t, s, file)
			require.Equal(t, "3", valueAt(t, s, file, "/n"))
		})
	}
}

// What was read in the same step of the clock in which it was written is not kept:
// there may be a second writing in that step.
func TestYoungFilesAreNotCached(t *testing.T) {
	s, file := groupTest(t, Options{})
	do(t, s, setting(file, "/n", 2), file)
	s.dropParked()
	valueAt(t, s, file, "/n")
	require.Nil(t, s.cachedSnapshot([]string{file}))
}

func TestCacheIsBounded(t *testing.T) {
	c := &cache{files: map[string]*cached{}}
	for i := range maxCached + 10 {
		e := &cached{}
		e.found.Version.Size = maxCachedBytes / maxCached
		c.put(string(rune(i))+"x", e)
	}
	require.LessOrEqual(t, len(c.files), maxCached)
	require.LessOrEqual(t, c.bytes, int64(maxCachedBytes))
	e := &cached{}
	e.found.Version.Size = maxCachedBytes + 1
	c.put("large", e)
	require.NotContains(t, c.files, "large")
}
