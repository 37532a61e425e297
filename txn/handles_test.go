package txn

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

func TestHandlesAreKeptAndBounded(t *testing.T) {
	s, file := groupTest(t, Options{})
	do(t, s, setting(file, "/n", 1), file)
	s.dropParked()
	require.Len(t, s.handles.open, 1)
	tg, err := s.src.Resolve(context.Background(), file)
	require.NoError(t, err)
	log := s.handles.open[tg.Dir].log
	do(t, s, setting(file, "/n", 2), file)
	s.dropParked()
	require.Same(t, log, s.handles.open[tg.Dir].log)
	for i := range maxHandles + 5 {
		f := fmt.Sprintf("%s.%d.json", file, i)
		do(t, s, setting(f, "/n", 1), f)
	}
	s.dropParked()
	require.LessOrEqual(t, len(s.handles.open), maxHandles)
	require.NoError(t, s.Close())
	require.Empty(t, s.handles.open)
}

// What others did while nobody here had the lock is seen.
func TestKeptHandlesSeeWhatChanges(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *Store, file string){
		"a commit": func(t *testing.T, s *Store, file string) { do(t, another(t, s), setting(file, "/n", 5), file) },
		"an edit": func(t *testing.T, _ *Store, file string) {
			require.NoError(t, os.WriteFile(file, []byte("{\"n\": 5}\n"), 0o644))
		},
		"an edit in place": func(t *testing.T, _ *Store, file string) { overwrite(t, file, "{\"n\": 5}\n") },
		"a compaction": func(t *testing.T, s *Store, file string) {
			o := another(t, s)
			do(t, o, setting(file, "/n", 5), file)
			require.NoError(t, TestRooms.Compact(o, file))
		},
		"a new journal": func(t *testing.T, s *Store, file string) {
			do(t, s, setting(file, "/n", 5), file)
			s.dropParked()
			tg, err := s.src.Resolve(context.Background(), file)
			require.NoError(t, err)
			require.NoError(t, os.RemoveAll(tg.WS.Meta()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, file := groupTest(t, Options{})
			do(t, s, setting(file, "/m", 1), file)
			s.dropParked()
			change(t, s, file)
			do(t, s, increment(file), file)
			require.Contains(t, content(t, file), `"n": 6`)
		})
	}
}

// overwrite writes over a file's own bytes and keeps its times.
func overwrite(t *testing.T, file, text string) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
}

// A document that is known to stand there is not read again.
func TestKeptDocumentsAreNotReadAgain(t *testing.T) {
	s, file := groupTest(t, Options{})
	do(t, s, setting(file, "/n", 1), file)
	s.dropParked()
	tg, err := s.src.Resolve(context.Background(), file)
	require.NoError(t, err)
	age(t, file)
	do(t, s, func(*Tx) error { return nil }, file) // reads it, since its times changed
	s.dropParked()
	k := s.handles.open[tg.Dir]
	require.True(t, workspace.Steady(k.found.Info, k.found.At))
	doc := k.found.Doc
	do(t, s, func(*Tx) error { return nil }, file)
	s.dropParked()
	require.Same(t, doc, s.handles.open[tg.Dir].found.Doc)
	require.Equal(t, wal.VersionOf([]byte(content(t, file))), s.handles.open[tg.Dir].found.Version)
}

// A program that ends while its session is parked leaves room behind its records. The
// next one cuts it, and tells nobody.
func TestRoomOfTheDeadIsNoNews(t *testing.T) {
	s, file := groupTest(t, Options{})
	for n := range 6 {
		do(t, s, setting(file, "/n", n), file)
	}
	tg, err := s.src.Resolve(context.Background(), file)
	require.NoError(t, err)
	segments, err := filepath.Glob(filepath.Join(tg.Dir, "0*1"))
	require.NoError(t, err)
	require.Len(t, segments, 1)
	roomy, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	require.Len(t, roomy, wal.DefaultSegmentSize)
	s.dropParked()
	cut, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	require.Less(t, len(cut), len(roomy))
	require.NoError(t, os.WriteFile(segments[0], roomy, 0o600))

	var told []recovery.Done
	other, err := Open(filepath.Dir(file), Options{OnRecovery: func(d []recovery.Done) { told = append(told, d...) }})
	require.NoError(t, err)
	for n := range 3 {
		do(t, other, setting(file, "/n", 10+n), file)
		other.dropParked()
	}
	require.Empty(t, told)
	require.NoError(t, other.Close())
}
