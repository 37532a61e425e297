package txn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/txn/jsonpatch"
	"github.com/jtx-project/jtx/wal"
	"github.com/jtx-project/jtx/wal/fsys"
)

// unit is a commit in progress: what a transaction changes, as one.
type unit struct {
	ses        *session
	id         wal.ID
	time       time.Time
	clock      time.Time // what the clock says, where time has to be another one
	durability Durability
	members    []*member   // whose transactions it is made of, that did not fail
	files      []*unitFile // in lock order
	changed    []*unitFile // by the session's targets, nil where one is not changed
	warnings   []string
	lagging    bool  // a file could not be replaced
	untold     error // why `state` does not know of a file that lags
	behind     bool  // the files are replaced later
}

// unitFile is one participant.
type unitFile struct {
	*change
	parts    []part // what each transaction did to it
	t        *workspace.Target
	log      *wal.Log
	first    *wal.Record // the image of a file that was not tracked yet
	rec      *wal.Record
	repl     recovery.Replacement
	inPlace  bool
	opens    bool    // the first of a run of records that are not synced
	segment  wal.LSN // the tail segment before it
	appended bool    // an append was tried
	placed   bool
}

// part is what one transaction of a group did to a file.
type part struct {
	m *member
	*change
}

// commit makes what the members did durable and visible, as one unit, or nothing
// of it.
func (ses *session) commit(members []*member) error {
	u, err := ses.unit(members)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	u.time = ses.clock(now)
	u.clock = wal.ByClock(u.time, now)
	u.id = wal.NewIDAt(u.time)
	// Read before the commit: what fails behind it must not look like a failure of it.
	revs, err := ses.otherRevisions(u)
	if err != nil {
		return err
	}
	if len(u.files) > 0 {
		if len(u.files) > 1 && u.durability == None {
			u.durability = Journal // without it, a part of the unit could survive
		}
		if ses.call.fence != nil {
			if err := ses.call.fence(ses); err != nil {
				return err
			}
		}
		for _, f := range u.files {
			if err := f.checkNames(ses.call.inPlace); err != nil {
				return err
			}
		}
		if err := u.run(); err != nil {
			ses.spoiled = true
			ses.call.made = nil // what it may have left is known by the workspace
			return err
		}
	}
	for _, m := range u.members {
		m.res = ses.describe(u, m, m.names, revs)
	}
	return nil
}

// unit is what the members change: those that did not fail.
func (ses *session) unit(members []*member) (*unit, error) {
	u := &unit{ses: ses, durability: ses.call.durability, changed: make([]*unitFile, len(ses.Targets))}
	u.members = make([]*member, 0, len(members))
	for _, m := range members {
		if m.tx != nil {
			u.members = append(u.members, m)
		}
	}
	for i, t := range ses.Targets {
		var parts []part
		for _, m := range u.members {
			c, err := m.tx.drafts[i].comesTo(ses.s.src.Limits)
			if err != nil {
				return nil, fault.In(t.Name, err)
			}
			if c != nil {
				if parts == nil {
					parts = make([]part, 0, len(u.members))
				}
				parts = append(parts, part{m, c})
			}
		}
		if len(parts) == 0 {
			continue
		}
		f := &unitFile{t: t, log: t.File.Log, parts: parts}
		var err error
		if f.change, err = merged(parts, ses.s.src.Limits); err != nil {
			return nil, fault.In(t.Name, err)
		}
		u.files, u.changed[i] = append(u.files, f), f
	}
	slices.SortFunc(u.files, func(a, b *unitFile) int { return strings.Compare(a.t.Order(), b.t.Order()) })
	return u, nil
}

// clock is the time of the commit: now, or just behind the newest change of any
// file that the transaction could read. So sorting by time never puts an effect
// before its cause, and all files of a unit share one time: what was committed up
// to a moment never shows part of a transaction.
func (ses *session) clock(now time.Time) time.Time {
	at := now
	for _, t := range ses.Targets {
		at = t.File.Log.Clock(at)
	}
	return at
}

// run is the commit protocol. Up to the commit point everything can be taken
// back, and is; from there it only goes forward.
func (u *unit) run() error {
	if u.staysBehind() {
		return u.runBehind()
	}
	if err := u.ses.catchUp(); err != nil {
		return err
	}
	if err := u.record(); err != nil {
		return err
	}
	if err := u.stage(); err != nil {
		return errors.Join(err, u.discard())
	}
	if err := u.append(); err != nil {
		return u.withdraw(err)
	}
	if err := u.commitPoint(); err != nil {
		return u.withdraw(err)
	}
	if err := u.unchanged(); err != nil {
		return u.withdraw(err)
	}
	return u.place()
}

// record builds the record of each participant. A file that was not tracked yet
// gets an image of what it was, so that its history begins with that.
func (u *unit) record() error {
	for _, f := range u.files {
		newest, err := f.t.File.Newest()
		if err != nil {
			return fault.In(f.t.Name, err)
		}
		f.segment = f.log.State().Segment
		f.rec = &wal.Record{Kind: wal.KindPatch, Flags: u.flags(), Unit: u.id, Rev: f.log.State().Rev + 1, Before: f.draft.found.Version, After: f.after, Clock: u.clock}
		if f.draft.found.Err != nil {
			f.rec.Flags |= wal.FlagFound
		}
		switch {
		case newest != nil:
			f.rec.Rev = newest.Rev + 1
		case f.draft.found.Version.Exists && f.draft.found.Err == nil:
			if f.first, err = f.t.File.Adoption(nil); err != nil {
				return fault.In(f.t.Name, err)
			}
			f.first.Txns[0].Time, f.first.Clock = u.time.Add(-1), u.clock // seen before it was changed
			f.first.Unit = wal.NewIDAt(f.first.Txns[0].Time)
			f.first.Txns[0].ID = f.first.Unit
			u.ses.s.src.TellFormer(f.t, f.first)
			f.rec.Rev = f.first.Rev + 1
		}
		f.rec.Txns = make([]wal.Txn, 0, len(f.parts))
		for _, p := range f.parts {
			f.rec.Txns = append(f.rec.Txns, wal.Txn{
				ID: u.tx(p.m), Time: u.time, Actor: p.m.call.actor, Message: p.m.call.message, RequestID: p.m.call.request,
				Patch: p.encoded(), Origins: p.m.call.originsOf(p.draft),
			})
		}
		f.inPlace = !u.behind && f.t.File.Overwrites(u.ses.call.inPlace, f.after)
		f.opens = newest == nil || newest.Flags&wal.FlagLazy == 0
		switch {
		case f.inPlace:
			f.rec.Kind, f.rec.Image = wal.KindInPlace, f.data
		case f.after.Exists && (f.image || f.imageDue()):
			f.rec.Kind, f.rec.Image = wal.KindImage, f.data
		default:
			for i, p := range f.parts {
				f.rec.Txns[i].Splices = p.splices
			}
		}
	}
	u.nameParticipants()
	return nil
}

// tx is a transaction's id. An open transaction keeps the one that it was given
// when it began; the first one of a unit has the unit's; the others of a group
// have ids of their own, of the same time.
func (u *unit) tx(m *member) wal.ID {
	switch {
	case !m.call.tx.IsZero():
		return m.call.tx
	case m == u.members[0]:
		return u.id
	case m.id.IsZero():
		m.id = wal.NewIDAt(u.time)
	}
	return m.id
}

func (u *unit) flags() wal.Flags {
	if u.behind {
		return wal.FlagBehind | wal.FlagNoDirSync
	}
	switch u.durability {
	case None:
		return wal.FlagLazy | wal.FlagNoDirSync
	case Journal:
		return wal.FlagNoDirSync
	default:
		return 0
	}
}

// minImageGap is the least number of bytes of patches between two images.
const minImageGap = 32 << 10

// imageDue tells whether the patches since the last image have grown as large as
// an image: so that replaying from one is bounded, and the history at most twice
// the size of its patches.
func (f *unitFile) imageDue() bool {
	return f.first == nil && f.log.State().SinceImage > max(minImageGap, int64(len(f.data)))
}

// nameParticipants gives each record of a unit of several files the LSN that the
// unit has in each journal.
func (u *unit) nameParticipants() {
	if len(u.files) < 2 {
		return
	}
	var parts []wal.Participant
	for _, f := range u.files {
		lsn := f.log.State().Last + 1
		if f.first != nil {
			lsn++
		}
		parts = append(parts, wal.Participant{Workspace: f.t.WS.ID, Root: f.t.WS.Root, Path: f.t.Rel, LSN: lsn, Count: 1})
	}
	for _, f := range u.files {
		f.rec.Participants = parts
	}
}

// stage writes the new content of each file to a temporary file beside it.
func (u *unit) stage() error {
	for _, f := range u.files {
		f.repl = recovery.Replacement{File: f.t.File, Data: f.data, Version: f.after, Strict: f.draft.knownStrict(), InPlace: f.inPlace, Unsynced: u.durability == None}
		if f.repl.Guarded = f.t.Most != nil; f.repl.Guarded {
			f.repl.Mode = *f.t.Most
		}
		if like := f.draft.like; like != nil {
			f.repl.Like = like.t.File
		}
		err := f.repl.Stage()
		if err == nil && f.draft.found.Info == nil {
			err = u.ses.s.src.FollowNew(f.t, &f.repl)
		}
		if err == nil {
			f.rec.Staged, err = f.repl.Inode()
		}
		if err != nil {
			return fault.In(f.t.Name, err)
		}
		fsys.Step("commit.staged")
	}
	return nil
}

// checkNames refuses to rename over a file of several names, since the others
// would go on showing the old content, and to remove a mount point.
func (f *unitFile) checkNames(inPlace bool) error {
	info := f.draft.found.Info
	if info == nil {
		return nil
	}
	if !f.after.Exists && recovery.MountPoint(f.t.Real) {
		return &Error{Kind: ErrInvalid, File: f.t.Name, Err: fmt.Errorf("is a mount point, which can't be removed")}
	}
	if inPlace || workspace.LinksOf(info) < 2 || recovery.HasOneName(f.t.Real) {
		return nil
	}
	keeps := "only a write in place (--in-place) keeps them together"
	if !f.after.Exists {
		keeps = "the others would keep its content; --in-place removes this name all the same"
	}
	return &Error{Kind: ErrInvalid, File: f.t.Name, Err: fmt.Errorf("has %d hard links; %s", workspace.LinksOf(info), keeps)}
}

// append writes the records to the journals. They are not durable yet.
func (u *unit) append() error {
	for _, f := range u.files {
		if f.t.Ahead != nil {
			continue // it is
		}
		if err := f.log.MarkPending(); err != nil {
			return fault.In(f.t.Name, err)
		}
	}
	fsys.Step("commit.pending")
	for _, f := range u.files {
		recs := []*wal.Record{f.rec}
		if f.first != nil {
			recs = []*wal.Record{f.first, f.rec}
		}
		f.appended = true
		if err := f.log.Append(recs...); err != nil {
			return fault.In(f.t.Name, err)
		}
		fsys.Step("commit.appended")
	}
	return nil
}

// commitPoint syncs all journals, and the staged files, in parallel. When it has
// returned without an error the unit is committed: the journal of every
// participant durably holds its record.
func (u *unit) commitPoint() error {
	if u.durability == None {
		return u.openLazily()
	}
	var syncs fsys.Syncs
	for _, f := range u.files {
		f.log.SyncIn(&syncs, f.label)
		f.repl.SyncIn(&syncs, f.label)
		if f.first != nil {
			syncs.Call(f.t.File.SyncFound, f.label)
		}
	}
	waiting := u.spareDirs()
	for _, f := range waiting {
		f.repl.SyncDirIn(&syncs, f.label)
	}
	err := syncs.Run()
	fsys.Step("commit.synced")
	if err == nil && len(waiting) > 0 {
		for _, f := range u.files {
			f.t.File.DirSynced()
		}
	}
	return err
}

// spareDirs are files whose directories spares wait for, one of each directory.
func (u *unit) spareDirs() []*unitFile {
	return onePerDir(u.files, func(f *unitFile) bool { return f.t.File.WaitsForDir() })
}

// openLazily syncs the journal of a file whose newest version was synced itself:
// recovery must see, whatever a power cut takes, that content was written since
// which was not. The records that follow at this level need no sync any more.
func (u *unit) openLazily() error {
	for _, f := range u.files {
		if f.opens {
			if err := f.log.Sync(); err != nil {
				return fault.In(f.t.Name, err)
			}
		}
	}
	return nil
}

// label says which file an error is about.
func (f *unitFile) label(err error) error { return fault.In(f.t.Name, err) }

// otherRevisions are those of the files that u does not change, by the session's
// targets.
func (ses *session) otherRevisions(u *unit) ([]uint64, error) {
	revs := make([]uint64, len(ses.Targets))
	for i, t := range ses.Targets {
		if u.changed[i] != nil {
			continue
		}
		var err error
		if revs[i], err = t.Rev(); err != nil {
			return nil, fault.In(t.Name, err)
		}
	}
	return revs, nil
}

// describe is what a transaction of the unit did, with the revisions of all listed
// files.
func (ses *session) describe(u *unit, m *member, names []string, others []uint64) Result {
	res := Result{Recovered: ses.report, Waited: ses.waited, Files: make([]Revision, 0, len(names))}
	for _, name := range names {
		i := ses.IndexOf(name)
		if i < 0 {
			continue
		}
		rev := Revision{File: name, Rev: others[i]}
		if f := u.changed[i]; f != nil {
			if f.rec != nil {
				rev.Rev = f.repl.Revision(f.rec)
			}
			if c := m.tx.drafts[i].comes; c != nil {
				rev.Changed, rev.Patch = true, c.fullPatch()
			}
		}
		if rev.Changed && !u.id.IsZero() {
			res.ID, res.Warnings = u.tx(m), u.warnings
		}
		res.Files = append(res.Files, rev)
	}
	return res
}

// fullPatch is what the change does, also where an image carries it.
func (c *change) fullPatch() jsonpatch.Patch {
	if c.draft.found.Doc == nil && c.data != nil {
		return jsonpatch.Patch{{Op: "add", Value: jsonpatch.Compact(c.data)}}
	}
	return c.patch
}
