package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/doors"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/txn/internal/versions"
	"github.com/jtx-project/jtx/txn/internal/workspace"
	"github.com/jtx-project/jtx/wal"
)

// SetAside gives a file whose journal is damaged a new one: the damaged journal is
// moved below the file's `damaged` directory, whole, and is never removed; the new
// one goes on with the next revision, which is what the file holds. It returns where the damaged one is. It
// fails with ErrInvalid where the journal is not damaged, and with ErrDamaged where
// the file holds no document, which must be mended first.
func SetAside(ctx context.Context, store *txn.Store, file string) (kept string, err error) {
	s := of(store)
	t, err := s.Resolve(ctx, s.Abs(file))
	if err != nil {
		return "", err
	}
	if t.WS == nil {
		return "", versions.NoHistory(t)
	}
	if _, err := s.FS.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return "", versions.NoHistory(t)
	}
	err = s.Locked(ctx, []string{t.Name}, doors.Locking{Shut: true}, func(ses *doors.Files) error {
		kept, err = s.setAside(ctx, ses)
		return err
	})
	return kept, err
}

// setAside moves the journal of a file that is locked, and begins another.
func (s house) setAside(ctx context.Context, ses *doors.Files) (kept string, err error) {
	t := ses.Targets[0]
	if err := s.mustBeDamaged(ctx, t); err != nil {
		return "", fault.In(t.Name, err)
	}
	found, err := recovery.Read(s.FS, t.Real, wal.State{}, s.Limits)
	if err != nil {
		return "", fault.In(t.Name, err)
	}
	if found.Err != nil {
		return "", &txn.Error{Kind: txn.ErrDamaged, File: t.Name, Err: fmt.Errorf("neither the journal nor the file is whole: mend the file first: %w", found.Err)}
	}
	a, err := s.AccessFor(t)
	if err == nil {
		kept, err = wal.SetAside(t.Dir, s.JournalOptions(t, a))
	}
	if err == nil {
		err = recovery.Tell(s.FS, t.Dir, recovery.Notice{What: recovery.NoticeJournal, Kept: kept})
	}
	if err == nil {
		err = beginAnew(ses, t)
	}
	return kept, fault.In(t.Name, err)
}

// mustBeDamaged refuses to set a journal aside that still tells the history.
func (s house) mustBeDamaged(ctx context.Context, t *workspace.Target) error {
	if t.Lost != nil {
		//lint:ignore nilerr that it is lost is the damage
		return nil
	}
	report, err := wal.Inspect(s.FS, t.Dir)
	if err == nil && len(report.Damage) == 0 {
		err = s.replayAll(ctx, t)
	} else if err == nil {
		return nil
	}
	switch {
	case err == nil:
		return &txn.Error{Kind: txn.ErrInvalid, File: t.Name, Err: fmt.Errorf("its journal is not damaged: nothing is set aside")}
	case errors.Is(fault.In(t.Name, err), txn.ErrDamaged):
		return nil
	}
	return err
}

// beginAnew records what the file holds as the first version of a new journal. Where that
// is cut off, whoever next uses the file does it.
func beginAnew(ses *doors.Files, t *workspace.Target) error {
	if err := ses.Open(t); err != nil || !t.File.Found.Version.Exists {
		return err
	}
	rec, err := t.File.Adoption(nil)
	if err != nil {
		return err
	}
	return t.File.AppendAdoption(rec)
}
