package recovery

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// TestRebaseCutOff ends recovery at each call that changes something, and recovers
// again, in the same boot and in another.
func TestRebaseCutOff(t *testing.T) {
	for _, c := range rebases {
		for name, boot := range map[string][16]byte{"this boot": bootNow, "another boot": bootAfter} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				build := func() *place {
					p := newPlace(t, "f.json")
					p.lag(c.base, c.patches...)
					if c.edit != "" {
						p.write(c.edit)
					}
					return p
				}
				whole := build()
				_, err := whole.recover(fsys.OS, bootNow)
				require.NoError(t, err)
				for call := 0; ; call++ {
					p := build()
					failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call, Forever: true})
					_, _ = p.recover(failing, bootNow) // it may have done all by then
					if failing.Failed() == 0 {
						return
					}
					done, err := p.recover(fsys.OS, boot)
					require.NoError(t, err, "cut off at %s", last(failing))
					require.Equal(t, whole.read(), p.read(), "cut off at %s", last(failing))
					require.Equal(t, whole.versions(), p.versions(), "cut off at %s; then %s", last(failing), done.Case)
				}
			})
		}
	}
}

// last is the first call that failed, with which all others ended.
func last(f *fsys.Failing) string {
	for _, call := range f.Trace() {
		if strings.Contains(call, " = ") {
			return call
		}
	}
	return ""
}

// TestRebaseLost: a power cut takes back what was never made durable. With the
// edit's record durable, the file is found as each of the versions that may come
// back, and as a further edit.
func TestRebaseLost(t *testing.T) {
	edit := swap(lagText, `"b": 1`, `"b": 5`)
	for name, stands := range map[string]string{"the edit": edit, "the base": lagText, "a version between": swap(lagText, `"a": 1`, `"a": 2`),
		"the newest one": swap(lagText, `"a": 1`, `"a": 3`), "the result": swap(edit, `"a": 1`, `"a": 3`)} {
		for _, boot := range [][16]byte{bootNow, bootAfter} {
			t.Run(fmt.Sprint(name, boot[0]), func(t *testing.T) {
				p := rebasedOnly(t, edit)
				p.write(stands)
				done, err := p.recover(fsys.OS, boot)
				require.NoError(t, err)
				require.NotEqual(t, Rebase, done.Action)
				require.Equal(t, swap(edit, `"a": 1`, `"a": 3`), p.read())
				p.restsIn(boot, p.read())
			})
		}
	}
	t.Run("a further edit", func(t *testing.T) {
		p := rebasedOnly(t, edit)
		further := swap(edit, `"b": 5`, `"b": 6`)
		p.write(further)
		done, err := p.recover(fsys.OS, bootNow)
		require.NoError(t, err)
		require.Contains(t, done.Clash, `"/b"`)
		require.Equal(t, further, lastTwo(p.versions())[0])
		require.Equal(t, swap(edit, `"a": 1`, `"a": 3`), p.read())
	})
}

// rebasedOnly is a place where recovery was cut off with the edit's record durable,
// and nothing done to the file.
func rebasedOnly(t *testing.T, edit string) *place {
	for call := 0; ; call++ {
		p := newPlace(t, "f.json")
		newest := p.lag(lagText, setA, setA3)
		p.write(edit)
		require.NoError(t, os.WriteFile(Temp(p.target()), []byte(newest), 0o600))
		failing := fsys.NewFailing(fsys.OS, fsys.Fault{Call: call, Forever: true})
		_, _ = p.recover(failing, bootNow)
		require.NotZero(t, failing.Failed())
		if p.read() == edit && len(p.versions()) == 4 && strings.HasPrefix(last(failing), "exchange") {
			return p
		}
	}
}

// TestRebaseSyncsFirst: what another program made, and its name where that is to
// stand, is durable before a record relies on it; and where the file has caught up,
// its name is before `state` says so.
func TestRebaseSyncsFirst(t *testing.T) {
	for name, c := range map[string]struct{ stands, sync, then string }{
		"rebased":    {swap(lagText, `"b": 1`, `"b": 5`), "sync f.json", "datasync"},
		"its name":   {swap(lagText, `"b": 1`, `"b": 5`), "sync .", "datasync"},
		"clash":      {swap(lagText, `"a": 1`, `"a": 5`), "sync f.json", "exchange"},
		"up to date": {swap(lagText, `"a": 1`, `"a": 2`, `"b": 1`, `"b": 5`), "sync .", "datasync"},
		"caught up":  {swap(lagText, `"a": 1`, `"a": 2`), "sync .", "write journal/lock"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "f.json")
			p.lag(lagText, setA)
			p.write(c.stands)
			counting := fsys.NewFailing(fsys.OS, fsys.Fault{Call: -1})
			_, err := p.recover(counting, bootNow)
			require.NoError(t, err)
			trace := p.trace(counting)
			require.Contains(t, trace, c.sync)
			behind := trace[slices.Index(trace, c.sync)+1:]
			require.True(t, slices.ContainsFunc(behind, func(call string) bool { return strings.HasPrefix(call, c.then) }), trace)
		})
	}
}

// trace is the calls, with names below the place.
func (p *place) trace(f *fsys.Failing) (calls []string) {
	for _, call := range f.Trace() {
		call = strings.ReplaceAll(call, p.dir+"/", "")
		calls = append(calls, strings.ReplaceAll(call, p.dir, "."))
	}
	return calls
}

// TestRebaseMeetsASave: what another program saved in the instant before the
// exchange becomes a version, and what was rebased goes on from that.
func TestRebaseMeetsASave(t *testing.T) {
	edit, saved := swap(lagText, `"b": 1`, `"b": 5`), swap(lagText, `"b": 1`, `"b": 6`)
	p := rebasedOnly(t, edit)
	require.NoError(t, os.WriteFile(Displaced(p.target()), []byte(saved), 0o600))
	_, err := p.recover(fsys.OS, bootNow)
	require.NoError(t, err)
	want := swap(edit, `"a": 1`, `"a": 3`)
	require.Equal(t, want, p.read())
	texts := p.versions()
	require.Equal(t, []string{want, saved, want}, texts[len(texts)-3:])
	clash, err := wal.ReadRecord(fsys.OS, p.journal(), wal.LSN(len(texts)-1))
	require.NoError(t, err)
	require.Equal(t, wal.KindClash, clash.Kind)
	require.Equal(t, saved, string(clash.Image))
	require.Equal(t, versionOfText(want), clash.Before)
}

// TestReplacedDamageComesBack: where damaged bytes were being replaced, the version
// before them may stand again after a power cut.
func TestReplacedDamageComesBack(t *testing.T) {
	p := newPlace(t, "f.json")
	rec := newest(Forgotten, wal.FlagFound)
	rec.Before = wal.VersionOf([]byte(textBroken))
	p.build(Forgotten, textOld, rec)
	done, err := p.recover(fsys.OS, bootNow)
	require.NoError(t, err)
	require.Equal(t, "rename-lost", done.Case)
	require.Equal(t, textNew, p.read())
}
