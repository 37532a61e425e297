package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// located is a record and the file whose journal holds it.
type located struct {
	h   versions.Head
	rec *wal.Record
}

// idSlack is how far the time in an id and that of its record may be apart: the
// id has milliseconds, and a recovered edit takes two records with one id's time.
const idSlack = 2 * time.Millisecond

// recordOf finds a transaction in one file's history by the time in its id, nil
// where it is not there.
func (s past) recordOf(h versions.Head, id wal.ID) (*wal.Record, error) {
	if h.Last == 0 {
		return nil, nil
	}
	low, high := id.Time().Add(-idSlack), id.Time().Add(idSlack)
	last, err := s.LastWhere(h, func(rec *wal.Record) bool { return !rec.Time().After(high) })
	if err != nil {
		return nil, err
	}
	for rec, err := range s.Versions(h.Target, min(last, h.Last)) {
		if err != nil {
			return nil, err
		}
		if versions.HoldsTx(rec, id) {
			return rec, nil
		}
		if rec.Time().Before(low) {
			break
		}
	}
	return s.recordAfter(h, id, last+1)
}

// recordAfter finds an open transaction: its id is from when it began, its record
// from when it was committed. It reads on from there, to the end for an id that
// nobody has.
func (s past) recordAfter(h versions.Head, id wal.ID, from wal.LSN) (*wal.Record, error) {
	for rec, err := range s.VersionsFrom(h.Target, from, h.Last) {
		if err != nil || versions.HoldsTx(rec, id) {
			return rec, err
		}
	}
	return nil, nil
}

// findTx finds a transaction's record in each file that it changed, in lock
// order. It looks into the files of the workspaces around the store's directory.
func (s past) findTx(ctx context.Context, id wal.ID) ([]located, error) {
	sc, err := s.Scope(ctx, nil)
	if err != nil {
		return nil, err
	}
	var errs []error // of files that can't be looked at; it may be in none of them
	for _, t := range sc.Files {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if s.endsBefore(t, id) {
			continue
		}
		at, err := s.inFile(ctx, t, id)
		if err != nil {
			errs = append(errs, fault.In(t.Name, err))
		}
		if at.rec != nil {
			return s.participants(ctx, at)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return nil, &txn.Error{Kind: txn.ErrNotFound, Err: fmt.Errorf("no transaction %s in the files below %s", id, s.Dir)}
}

// endsBefore tells, by `state` alone, that a file's history ends before a transaction was
// begun. Only that of this boot knows every record.
func (s past) endsBefore(t *workspace.Target, id wal.ID) bool {
	_, st, ok, err := s.Stands(t)
	return err == nil && ok && st.Boot == s.Boot && !st.Pending && st.Last > 0 && time.Unix(0, st.Time).Before(id.Time().Add(-idSlack))
}

// inFile finds a transaction's record in one file; rec is nil where it has none.
func (s past) inFile(ctx context.Context, t *workspace.Target, id wal.ID) (located, error) {
	heads, err := s.Heads(ctx, []*workspace.Target{t}, versions.Looking{Silent: true})
	if err != nil {
		return located{}, err
	}
	rec, err := s.recordOf(heads[0], id)
	return located{heads[0], rec}, err
}

// participants finds the records of a unit in its other files. One whose journal
// is gone, or has dropped the record, is left out.
func (s past) participants(ctx context.Context, one located) ([]located, error) {
	if len(one.rec.Participants) == 0 {
		return []located{one}, nil
	}
	set := &workspace.FileSet{Site: s.Site, Ctx: ctx, How: workspace.Lookup{Look: true}, Targets: []*workspace.Target{one.h.Target}}
	var list []located
	for _, p := range one.rec.Participants {
		if one.h.Target.IsParticipant(p) {
			list = append(list, one)
			continue
		}
		t, err := set.ResolveParticipant(p)
		if err != nil {
			continue
		}
		heads, err := s.Heads(ctx, []*workspace.Target{t}, versions.Looking{Silent: true})
		if err != nil {
			return nil, err
		}
		rec, err := s.recordOf(heads[0], one.rec.Unit)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			list = append(list, located{heads[0], rec})
		}
	}
	return list, nil
}
