package recovery

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

const (
	lagText = "{\n  \"a\": 1,\n  \"b\": 1,\n  \"list\": [1, 2, 3]\n}\n"
	setA    = `[{"op":"replace","path":"/a","value":2}]`
	setA3   = `[{"op":"replace","path":"/a","value":3}]`
	setBack = `[{"op":"replace","path":"/a","value":1}]`
	setList = `[{"op":"replace","path":"/list/0","value":9}]`
	cutList = `[{"op":"remove","path":"/list/0"}]`
	remove  = `[{"op":"remove","path":""}]`
)

var bootAfter = [16]byte{3}

// rebases are edits of a file that is behind, and what becomes of them.
var rebases = []struct {
	name    string
	base    string
	patches []string
	edit    string // "" : the base, edited by nobody
	want    string // "": the newest version
	clash   string // a part of Done.Clash
	action  Action
}{
	{name: "another member", base: lagText, patches: []string{setA, setA3}, edit: swap(lagText, `"b": 1`, `"b": 5`),
		want: swap(lagText, `"b": 1`, `"b": 5`, `"a": 1`, `"a": 3`), action: Rebase},
	{name: "a new member", base: lagText, patches: []string{setA}, edit: swap(lagText, `3]`, "3],\n  \"c\": 1"),
		want: swap(lagText, `3]`, "3],\n  \"c\": 1", `"a": 1`, `"a": 2`), action: Rebase},
	{name: "another element", base: lagText, patches: []string{setList}, edit: swap(lagText, `3]`, `7]`),
		want: swap(lagText, `[1, 2, 3]`, `[9, 2, 7]`), action: Rebase},
	{name: "an element that has moved", base: lagText, patches: []string{cutList}, edit: swap(lagText, `3]`, `7]`), clash: `"/list/2"`, action: Rebase},
	{name: "the same member", base: lagText, patches: []string{setA}, edit: swap(lagText, `"a": 1`, `"a": 5`), clash: `"/a"`, action: Rebase},
	{name: "a member that has become what it was", base: lagText, patches: []string{setA, setBack}, edit: swap(lagText, `"a": 1`, `"a": 5`),
		clash: `"/a"`, action: Rebase},
	{name: "the whole", base: lagText, patches: []string{setA}, edit: "[]\n", clash: `""`, action: Rebase},
	{name: "layout and a member", base: lagText, patches: []string{setA}, edit: `{"a":1,"b":5,"list":[1,2,3]}`,
		want: `{"a":2,"b":5,"list":[1,2,3]}`, action: Rebase},
	{name: "layout only", base: lagText, patches: []string{setA}, edit: `{"a":1,"b":1,"list":[1,2,3]}`, want: `{"a":2,"b":1,"list":[1,2,3]}`, action: Rebase},
	{name: "a comment only", base: lagText, patches: []string{setA}, edit: swap(lagText, `"a": 1,`, `"a": 1, // one`), want: swap(lagText, `"a": 1,`, `"a": 2, // one`), action: Rebase},
	{name: "a comment and a member", base: lagText, patches: []string{setList}, edit: swap(lagText, `"b": 1,`, `"b": 5, // five`),
		want: swap(lagText, `"b": 1,`, `"b": 5, // five`, `[1,`, `[9,`), action: Rebase},
	{name: "what was committed, and another member", base: lagText, patches: []string{setA, setA3}, edit: swap(lagText, `"a": 1`, `"a": 3`, `"b": 1`, `"b": 5`),
		want: swap(lagText, `"a": 1`, `"a": 3`, `"b": 1`, `"b": 5`), action: Rebase},
	{name: "what was committed is not what another edit of it is", base: lagText, patches: []string{setA, setA3, setList}, edit: swap(lagText, `"a": 1`, `"a": 3`, `"b": 1`, `"b": 5`),
		want: swap(lagText, `"a": 1`, `"a": 3`, `"b": 1`, `"b": 5`, `[1,`, `[9,`), action: Rebase},
	{name: "an element that is another one now", base: lagText, patches: []string{cutList}, edit: swap(lagText, `[1, 2`, `[2, 2`), clash: `"/list/0"`, action: Rebase},
	{name: "made on the newest version", base: lagText, patches: []string{setA}, edit: swap(lagText, `"a": 1`, `"a": 2`, `"b": 1,`, `"b": 5, // five`),
		want: swap(lagText, `"a": 1`, `"a": 2`, `"b": 1,`, `"b": 5, // five`), action: Rebase},
	{name: "of a file that was removed", base: lagText, patches: []string{setA, remove}, edit: swap(lagText, `"b": 1`, `"b": 5`), clash: "removed", action: Rebase},
	{name: "of a file that was removed and made anew", base: lagText, patches: []string{remove, "{\"z\": 1}\n"}, edit: swap(lagText, `"b": 1`, `"b": 5`),
		clash: `"/b"`, action: Rebase},
	{name: "of a file that was not there", patches: []string{"{\"z\": 1}\n", `[{"op":"add","path":"/y","value":1}]`}, edit: "{\"b\": 5}\n",
		clash: "no version is known", action: Rebase},
	{name: "none of a file that was not there", patches: []string{"{\"z\": 1}\n", `[{"op":"add","path":"/y","value":1}]`}, action: Redo},
	{name: "none", base: lagText, patches: []string{setA, setA3, setList}, action: Redo},
	{name: "none of what stands in the middle", base: lagText, patches: []string{setA, setA3, setList}, edit: swap(lagText, `"a": 1`, `"a": 2`), action: Redo},
}

func TestRebase(t *testing.T) {
	for _, c := range rebases {
		for name, boot := range map[string][16]byte{"this boot": bootNow, "another boot": bootAfter} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, "f.json")
				newest := p.lag(c.base, c.patches...)
				edit, want := c.edit, c.want
				if edit == "" {
					edit = c.base
				}
				if want == "" {
					want = newest
				}
				p.write(edit)
				done, err := p.recover(fsys.OS, boot)
				require.NoError(t, err)
				require.Equal(t, c.action, done.Action)
				require.Equal(t, want, p.read())
				require.Contains(t, done.Clash, c.clash)
				require.Equal(t, c.clash == "", done.Clash == "", done.Clash)
				p.checkRebase(done, edit, want)
				require.Empty(t, done.Aside)
				p.restsIn(boot, want)
			})
		}
	}
}

// TestRebaseOfACertainBase: where it is certain that the newest version has not stood
// under the name, an edit of what did is one revision: what was committed, onto it.
func TestRebaseOfACertainBase(t *testing.T) {
	for _, c := range rebases {
		if c.action != Rebase || c.clash != "" || c.want == c.edit {
			continue
		}
		for _, name := range []string{Temp("f.json"), Displaced("f.json"), "journal/spare"} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				p := newPlace(t, "f.json")
				newest := p.lag(c.base, c.patches...)
				p.write(c.edit)
				require.NoError(t, os.WriteFile(filepath.Join(p.dir, name), []byte(newest), 0o600))
				done, err := p.recover(fsys.OS, bootNow)
				require.NoError(t, err)
				require.Equal(t, c.want, p.read())
				require.Equal(t, []string{newest, c.want}, lastTwo(p.versions()))
				require.Equal(t, wal.FlagForeign|wal.FlagFound, done.Record.Flags&^wal.FlagResumed)
				require.Equal(t, versionOfText(c.edit), done.Record.Before)
				p.restsIn(bootNow, c.want)
			})
		}
	}
}

// TestEditOfThePlacedVersion: where the newest version has stood under the name, all
// that an edit changed is meant so.
func TestEditOfThePlacedVersion(t *testing.T) {
	p := newPlace(t, "f.json")
	p.lag(lagText, setA)
	edit := swap(lagText, `"b": 1`, `"b": 5`) // and puts a back
	p.write(edit)
	require.NoError(t, os.WriteFile(Displaced(p.target()), []byte(lagText), 0o600))
	done, err := p.recover(fsys.OS, bootNow)
	require.NoError(t, err)
	require.Equal(t, edit, p.read())
	require.Equal(t, wal.FlagForeign, done.Record.Flags&^wal.FlagResumed)
	p.restsIn(bootNow, edit)
}

// TestRebaseFirstSeen: `state` names no applied version before the first commit is
// in place. What was seen then is what was changed, or removed.
func TestRebaseFirstSeen(t *testing.T) {
	for _, boot := range [][16]byte{bootNow, bootAfter} {
		p := newPlace(t, "f.json")
		p.write(lagText)
		log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
		require.NoError(t, err)
		require.NoError(t, log.Append(&wal.Record{Kind: wal.KindImage, Flags: wal.FlagForeign, Unit: wal.NewID(), Rev: 1, After: versionOfText(lagText), Image: []byte(lagText)}))
		p.advance(log, lagText, setA)
		require.NoError(t, log.Close())
		p.write(swap(lagText, `"b": 1`, `"b": 5`))
		done, err := p.recover(fsys.OS, boot)
		require.NoError(t, err)
		require.Equal(t, "edited-while-behind", done.Case)
		require.Empty(t, done.Clash)
		require.Equal(t, swap(lagText, `"b": 1`, `"b": 5`, `"a": 1`, `"a": 2`), p.read())
	}
}

func TestRemovedBehindTheFirstCommit(t *testing.T) {
	p := newPlace(t, "f.json")
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(t, err)
	require.NoError(t, log.Append(&wal.Record{Kind: wal.KindImage, Flags: wal.FlagForeign, Unit: wal.NewID(), Rev: 1, After: versionOfText(lagText), Image: []byte(lagText)}))
	p.advance(log, lagText, setA, setA3)
	require.NoError(t, log.Close())
	done, err := p.recover(fsys.OS, bootNow)
	require.NoError(t, err)
	require.Equal(t, "deleted-while-behind", done.Case)
	require.Empty(t, p.read())
}

// TestRebaseOnAHint: another boot's `state` names a version whose name may not have
// been durable, or that is not the record's. The edit is of an older one.
func TestRebaseOnAHint(t *testing.T) {
	setB := `[{"op":"replace","path":"/b","value":7}]`
	edit := swap(lagText, "3]", "8]")
	for name, hint := range map[string]struct {
		flags   wal.Flags
		content string
	}{
		"adopted":         {wal.FlagForeign | wal.FlagNoDirSync, swap(lagText, `"b": 1`, `"b": 7`)},
		"another content": {wal.FlagNoDirSync | wal.FlagBehind, lagText},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "f.json")
			p.lag(lagText)
			log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
			require.NoError(t, err)
			rec := &wal.Record{Kind: wal.KindPatch, Flags: hint.flags, Unit: wal.NewID(), Rev: 2, Before: versionOfText(lagText), Txns: []wal.Txn{{Patch: []byte(setB)}}}
			text := applyText(t, lagText, setB)
			rec.After = versionOfText(text)
			require.NoError(t, log.Append(rec))
			require.NoError(t, log.Sync())
			require.NoError(t, log.Settle(2, wal.FileID{}, versionOfText(hint.content), false))
			p.advance(log, text, setA)
			require.NoError(t, log.Close())
			p.write(edit)
			done, err := p.recover(fsys.OS, bootAfter)
			require.NoError(t, err)
			require.Equal(t, "edited-while-behind", done.Case)
			require.Empty(t, done.Clash)
			require.Equal(t, swap(edit, `"a": 1`, `"a": 2`, `"b": 1`, `"b": 7`), p.read())
		})
	}
}

// TestRebaseWithoutTheBase: compaction has dropped the version that `state` names,
// as one of another boot may. What it has kept was in place then.
func TestRebaseWithoutTheBase(t *testing.T) {
	p := newPlace(t, "f.json")
	newest := p.lag(lagText, setA, remove, lagText, setList)
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(t, err)
	before := log.State()
	require.NoError(t, log.Settle(5, wal.FileID{}, versionOfText(newest), false))
	require.NoError(t, log.DropBefore(4, nil, nil))
	require.NoError(t, log.SetState(func(s *wal.State) { s.Pending, s.Applied, s.File, s.Content = true, 1, before.File, before.Content }))
	require.NoError(t, log.Close())
	edit := swap(lagText, `"b": 1`, `"b": 5`)
	p.write(edit)
	done, err := p.recover(fsys.OS, bootAfter)
	require.NoError(t, err)
	require.Empty(t, done.Clash)
	want := swap(newest, `"b": 1`, `"b": 5`)
	require.Equal(t, []string{edit, want}, lastTwo(p.versions()))
	require.Equal(t, want, p.read())
}

// TestEditBehindAnAdoption: an adoption that was cut off needs not be put in place, so
// that an edit is one of it, and so is what was there before it.
func TestEditBehindAnAdoption(t *testing.T) {
	adopted := swap(lagText, `"a": 1`, `"a": 2`)
	for _, edit := range []string{swap(lagText, `"a": 1`, `"a": 3`), lagText} {
		for _, boot := range [][16]byte{bootNow, bootAfter} {
			p := newPlace(t, "f.json")
			p.lag(lagText)
			log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
			require.NoError(t, err)
			require.NoError(t, log.Append(&wal.Record{Kind: wal.KindPatch, Flags: wal.FlagForeign, Unit: wal.NewID(), Rev: 2,
				Before: versionOfText(lagText), After: versionOfText(adopted), Txns: []wal.Txn{{Patch: []byte(setA)}}}))
			require.NoError(t, log.Sync())
			require.NoError(t, log.Close())
			p.write(edit)
			done, err := p.recover(fsys.OS, boot)
			require.NoError(t, err)
			require.Empty(t, done.Clash)
			require.Equal(t, edit, p.read())
			require.Equal(t, []string{lagText, adopted, edit}, p.versions())
			p.restsIn(boot, edit)
		}
	}
}

// TestRebaseOnAVersionBetween: an edit of a version between the base and the newest is
// compared with that, where it would clash with what had led there.
func TestRebaseOnAVersionBetween(t *testing.T) {
	for _, boot := range [][16]byte{bootNow, bootAfter} {
		p := newPlace(t, "f.json")
		p.lag(lagText, setA, setList, setBack)
		edit := swap(lagText, `"a": 1`, `"a": 2`, `[1,`, `[9,`, `"b": 1`, `"b": 5`)
		p.write(edit)
		done, err := p.recover(fsys.OS, boot)
		require.NoError(t, err)
		require.Empty(t, done.Clash)
		require.Equal(t, swap(edit, `"a": 2`, `"a": 1`), p.read())
	}
}

// TestRebaseOverAnImageWithoutPatches: what an image changed is found where it does
// not say so itself.
func TestRebaseOverAnImageWithoutPatches(t *testing.T) {
	p := newPlace(t, "f.json")
	p.lag(lagText)
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(t, err)
	newest := swap(lagText, `"a": 1`, `"a": 2`)
	require.NoError(t, log.Append(&wal.Record{Kind: wal.KindImage, Flags: wal.FlagBehind | wal.FlagNoDirSync, Unit: wal.NewID(), Rev: 2,
		Before: versionOfText(lagText), After: versionOfText(newest), Image: []byte(newest), Txns: []wal.Txn{{Patch: []byte("[]")}}}))
	require.NoError(t, log.Sync())
	require.NoError(t, log.Close())
	p.write(swap(lagText, `"a": 1`, `"a": 5`))
	done, err := p.recover(fsys.OS, bootNow)
	require.NoError(t, err)
	require.Contains(t, done.Clash, `"/a"`)
	require.Equal(t, newest, p.read())
}

// TestRebaseOverALimit: an edit whose patch fits no record clashes.
func TestRebaseOverALimit(t *testing.T) {
	p := newPlace(t, "f.json")
	newest := p.lag(lagText, setA)
	edit := swap(lagText, `"b": 1`, `"b": "`+strings.Repeat("x", 300)+`"`)
	p.write(edit)
	f := p.open()
	f.Limits.MaxPatchBytes = 200
	plan, err := MakePlan([]*File{f}, nil)
	require.NoError(t, err)
	done := Apply(plan)[0]
	require.NoError(t, done.Err)
	require.Contains(t, done.Clash, "limit")
	require.Equal(t, []string{edit, newest}, lastTwo(p.versions()))
	require.Equal(t, newest, p.read())
}

// TestRebaseTakesNothingBack draws histories and edits of any version that may
// stand, with a `state` that may be older than that: what the edit left alone is as
// the newest version has it, and what it changed is in the file or kept.
func TestRebaseTakesNothingBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPlace(t, "f.json")
		member := rapid.IntRange(0, 2)
		versions := [][3]int{{0, 0, 0}}
		var patches []string
		for range rapid.IntRange(1, 4).Draw(rt, "commits") {
			next := versions[len(versions)-1]
			m, v := member.Draw(rt, "member"), member.Draw(rt, "value")
			next[m] = v
			versions = append(versions, next)
			patches = append(patches, fmt.Sprintf(`[{"op":"replace","path":"/%d","value":%d}]`, m, v))
		}
		p.lag(triple(versions[0]), patches...)
		stood := rapid.IntRange(0, len(patches)).Draw(rt, "stood")
		edit := versions[stood]
		for range rapid.IntRange(1, 2).Draw(rt, "edits") {
			edit[member.Draw(rt, "edited")] = member.Draw(rt, "to")
		}
		boot := rapid.SampledFrom([][16]byte{bootNow, bootAfter}).Draw(rt, "boot")
		p.settledWith(rapid.IntRange(0, stood).Draw(rt, "applied"), versions, boot == bootAfter && rapid.Bool().Draw(rt, "state is lost"))
		p.write(triple(edit))
		done, err := p.recover(fsys.OS, boot)
		require.NoError(rt, err)
		var got [3]int
		require.NoError(rt, json.Unmarshal([]byte(p.read()), &got))
		for i, v := range versions[len(versions)-1] {
			switch {
			case edit[i] == versions[stood][i]:
				require.Equal(rt, v, got[i], "a committed change was taken back")
			case got[i] != edit[i] && done.Action == Rebase:
				require.Equal(rt, triple(edit), lastTwo(p.versions())[0])
			}
		}
	})
}

// TestOlderThanTheNameIsAnEdit: what the name durably did not lead to any more, a power
// cut can't bring back; whoever put it there meant it. `state` says so, or a record.
func TestOlderThanTheNameIsAnEdit(t *testing.T) {
	for named, want := range map[wal.LSN]string{0: "behind", 1: "behind", 2: "edited-while-behind"} {
		for _, lost := range []bool{false, true} {
			p := newPlace(t, "f.json")
			p.lag(lagText)
			log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
			require.NoError(t, err)
			text := applyText(t, lagText, setA)
			p.advance(log, lagText, setA)
			log.SetNamed(named)
			newest := p.advance(log, text, setList)
			require.Equal(t, max(named, 1), log.State().Named)
			require.NoError(t, log.SetState(func(*wal.State) {}))
			require.NoError(t, log.Close())
			if lost {
				require.NoError(t, os.Remove(wal.StatePath(p.journal())))
			}
			p.write(lagText)
			journal, err := Peek(fsys.OS, p.journal(), bootAfter)
			require.NoError(t, err)
			require.Equal(t, max(named, 1), journal.State().Named)
			done, err := p.recover(fsys.OS, bootAfter)
			require.NoError(t, err)
			require.Equal(t, want, done.Case)
			if named == 2 {
				newest = swap(newest, `"a": 2`, `"a": 1`)
			}
			require.Equal(t, newest, p.read())
		}
	}
}
