package recovery

import (
	"fmt"
	"os"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// lag makes a journal of versions that were acknowledged and not put in place: base
// stands, and the patches follow. It returns the newest version, "" for no file.
func (p *place) lag(base string, patches ...string) string {
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(p.t, err)
	p.write(base)
	if base != "" {
		info, err := os.Lstat(p.target())
		require.NoError(p.t, err)
		v := wal.VersionOf([]byte(base))
		require.NoError(p.t, log.Append(&wal.Record{Kind: wal.KindImage, Unit: wal.NewID(), Rev: 1, After: v, Image: []byte(base)}))
		require.NoError(p.t, log.Sync())
		log.SetNamed(1)
		require.NoError(p.t, log.Settle(1, wal.FileIDOf(info), v, false))
	}
	newest := p.advance(log, base, patches...)
	require.NoError(p.t, log.Close())
	return newest
}

// advance commits versions without putting them in place.
func (p *place) advance(log *wal.Log, text string, patches ...string) string {
	for _, patch := range patches {
		rec := &wal.Record{Kind: wal.KindPatch, Flags: wal.FlagBehind | wal.FlagNoDirSync, Unit: wal.NewID(), Rev: log.State().Rev + 1, Before: versionOfText(text)}
		switch {
		case patch == remove:
			text = ""
		case text == "":
			text = patch
			rec.Kind, rec.Image, patch = wal.KindImage, []byte(text), "[]"
		default:
			text = applyText(p.t, text, patch)
		}
		rec.After, rec.Txns = versionOfText(text), []wal.Txn{{ID: rec.Unit, Patch: []byte(patch)}}
		require.NoError(p.t, log.Append(rec))
		require.NoError(p.t, log.Sync())
	}
	return text
}

func versionOfText(text string) wal.Version {
	if text == "" {
		return wal.Version{}
	}
	return wal.VersionOf([]byte(text))
}

func applyText(t require.TestingT, text, patch string) string {
	p, err := jsonpatch.DecodePatch([]byte(patch), jsonpatch.Limits{})
	require.NoError(t, err)
	doc, _, err := jsonpatch.Trusted([]byte(text), jsonpatch.JSONC).Apply(p, jsonpatch.Limits{})
	require.NoError(t, err)
	return string(doc.Bytes())
}

// recover recovers the file as a program of a boot does, and checks that what it
// promised to readers beforehand is what it leaves.
func (p *place) recover(fsy fsys.FS, boot [16]byte) (Done, error) {
	log, err := wal.Open(p.journal(), wal.Options{FS: fsy, Boot: boot})
	if err != nil {
		return Done{}, err
	}
	defer log.Close()
	f := &File{FS: fsy, Key: p.key, Dir: p.journal(), Target: p.target(), Journal: log, Log: log}
	if err := f.Look(); err != nil {
		return Done{}, err
	}
	plan, err := MakePlan([]*File{f}, nil)
	if err != nil {
		return Done{}, err
	}
	promised, coming, promise := p.peek(boot)
	done := Apply(plan)[0]
	if done.Err == nil {
		require.NoError(p.t, promise)
		require.Equal(p.t, p.read(), promised)
		require.Equal(p.t, what(done.Record), what(coming))
	}
	return done, done.Err
}

// what a record says, whenever it was made.
func what(rec *wal.Record) string {
	if rec == nil {
		return ""
	}
	return fmt.Sprint(rec.Kind, rec.Flags&^wal.FlagResumed, rec.Rev, rec.Before, rec.After, string(rec.Txns[0].Patch))
}

// peek is what a reader who may not write takes the file to be, and the record that
// he must expect.
func (p *place) peek(boot [16]byte) (string, *wal.Record, error) {
	j, err := Peek(fsys.OS, p.journal(), boot)
	if err != nil {
		return "", nil, err
	}
	f := &File{FS: fsys.OS, Key: p.key, Dir: p.journal(), Target: p.target(), Journal: j}
	if err := f.Look(); err != nil {
		return "", nil, err
	}
	plan, err := MakePlan([]*File{f}, nil)
	if err != nil {
		return "", nil, err
	}
	found, err := plan.Files[0].Outcome()
	if err != nil {
		return "", nil, err
	}
	f.Found = found // as a dry run does
	coming, err := plan.Files[0].Coming()
	return string(found.Data), coming, err
}

// versions derives every version that the journal holds, in order.
func (p *place) versions() (texts []string) {
	read := func(lsn wal.LSN) (*wal.Record, error) { return wal.ReadRecord(fsys.OS, p.journal(), lsn) }
	for rec, err := range wal.Scan(fsys.OS, p.journal(), 1) {
		require.NoError(p.t, err)
		if !rec.MakesVersion() {
			continue
		}
		if rec.Kind == wal.KindClash {
			texts = append(texts, string(rec.Image))
		}
		data, err := Render(read, rec.LSN, jsonpatch.Limits{})
		require.NoError(p.t, err)
		texts = append(texts, string(data))
	}
	return texts
}

func swap(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// checkRebase checks the report and the record.
func (p *place) checkRebase(done Done, edit, want string) {
	if done.Action != Rebase {
		require.Nil(p.t, done.Record)
		return
	}
	require.Equal(p.t, done.Rev, done.Record.Rev)
	require.Equal(p.t, versionOfText(want), done.Record.After)
	if want == edit {
		require.Equal(p.t, wal.FlagForeign, done.Record.Flags&^wal.FlagResumed)
		return
	}
	require.Equal(p.t, wal.KindClash, done.Record.Kind)
	require.Equal(p.t, []string{edit, want}, lastTwo(p.versions()))
	both := Revisions(done.Record)
	require.Len(p.t, both, 2)
	require.Equal(p.t, "changed outside jtx", both[0].Txns[0].Message)
	require.Equal(p.t, []uint64{done.Rev - 1, done.Rev}, []uint64{both[0].Rev, both[1].Rev})
	for i, text := range []string{edit, want} {
		require.Equal(p.t, versionOfText(text), both[i].After)
	}
}

// restsIn: nothing is left to do in that boot, and after a further one no more than
// to settle.
func (p *place) restsIn(boot [16]byte, want string) {
	before := p.tree()
	done, err := p.recover(fsys.OS, boot)
	require.NoError(p.t, err)
	require.Equal(p.t, Nothing, done.Action, done.Case)
	require.Equal(p.t, before, p.tree())
	texts := p.versions()
	require.Equal(p.t, want, texts[len(texts)-1])
	done, err = p.recover(fsys.OS, [16]byte{9})
	require.NoError(p.t, err)
	require.Contains(p.t, []Action{Nothing, Settle}, done.Action, done.Case)
	require.Equal(p.t, want, p.read())
}

func triple(v [3]int) string { return fmt.Sprintf("[%d, %d, %d]\n", v[0], v[1], v[2]) }

// settledWith makes `state` name an applied version, or removes it.
func (p *place) settledWith(applied int, versions [][3]int, lost bool) {
	if lost {
		require.NoError(p.t, os.Remove(p.journal()+"/lock"))
		return
	}
	log, err := wal.Open(p.journal(), wal.Options{Boot: bootNow})
	require.NoError(p.t, err)
	require.NoError(p.t, log.SetState(func(s *wal.State) {
		s.Applied, s.Content = wal.LSN(applied+1), versionOfText(triple(versions[applied]))
	}))
	require.NoError(p.t, log.Close())
}
