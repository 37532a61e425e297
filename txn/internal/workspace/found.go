package workspace

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/jtx-project/jtx/recover"
	"github.com/jtx-project/jtx/txn/internal/fault"
	"github.com/jtx-project/jtx/wal"
)

// Newest is the record of the file's newest version, by the plan where there is one.
func (t *Target) Newest() (*wal.Record, error) {
	if t.Plan != nil {
		return t.Plan.Newest, nil
	}
	return t.File.Newest()
}

// Rev is the file's current revision, 0 where it is not there and never was, or
// was not tracked yet: its first version is recorded with the first change.
func (t *Target) Rev() (uint64, error) {
	if t.Plan != nil {
		coming, err := t.Plan.Coming()
		switch {
		case err != nil:
			return 0, err
		case coming != nil:
			return coming.Rev, nil
		case t.Plan.Newest != nil:
			return t.Plan.Newest.Rev, nil
		default:
			return 0, nil
		}
	}
	newest, err := t.File.Newest()
	if err != nil || newest == nil {
		return 0, err
	}
	return newest.Rev, nil
}

// Comes is what the next change will find, once recovery has done its work.
func (t *Target) Comes() (recovery.Found, error) {
	if t.Plan == nil {
		return t.File.Found, nil
	}
	return t.Plan.Outcome()
}

// MayBegin fails where what was found is neither a document nor can be given one.
func (t *Target) MayBegin(found *recovery.Found) error {
	if found.Err == nil {
		return nil
	}
	if begins, err := t.begins(found); err != nil || begins {
		return err
	}
	return found.Err
}

// begins tells that what was found is blank, and that the file has no history, or was
// removed last: it is as good as none, and can be given a document.
func (t *Target) begins(found *recovery.Found) (bool, error) {
	if !found.Blank() {
		return false, nil
	}
	newest, err := t.Newest()
	return newest == nil || !newest.After.Exists, err
}

// Doubtful is an error where the file's last unit can't be decided.
func (t *Target) Doubtful() error {
	if t.Plan == nil || !t.Plan.InDoubt {
		return nil
	}
	for _, u := range t.Planned.Units {
		if slices.Contains(u.Holders, t.Plan.File) {
			return fault.In(t.Name, u.Doubt())
		}
	}
	return fault.In(t.Name, fault.ErrInDoubt)
}

// AsCovered is t as its workspace will be once it is made, with an empty journal. Its
// name stands for it.
func (t *Target) AsCovered() *Target {
	if t.WS == nil {
		t.WS = &Workspace{Root: string(filepath.Separator)}
		t.Rel, t.Dir = filepath.ToSlash(t.Real), t.WS.noFileDir()
		t.File.Key, t.File.Dir = t.Key(), t.Dir
	}
	return t
}

// Foreseen is what a change would find.
func (t *Target) Foreseen(mendDamage bool) (recovery.Found, error) {
	if err := t.Doubtful(); err != nil {
		return recovery.Found{}, err
	}
	found, err := t.Comes()
	var damage *recovery.DamagedError
	if errors.As(err, &damage) && mendDamage {
		return t.File.Found, nil
	}
	if err == nil && !mendDamage {
		err = t.MayBegin(&found)
	}
	return found, err
}

// StillThere tells that what was found is what stands under the name, and is what
// the journal says: by its times, if they vouch for that.
func (t *Target) StillThere(found *recovery.Found) bool {
	return found != nil && found.Doc != nil && t.Info != nil && found.Is(t.Info) &&
		Steady(found.Info, found.At) && found.Version == t.File.Log.State().Content
}

// Current is what a transaction finds: the newest committed version.
func (t *Target) Current() recovery.Found {
	found := t.File.Found
	if t.Ahead != nil {
		found.Version, found.Data, found.Doc = t.Ahead.Version, t.Ahead.Doc.Bytes(), t.Ahead.Doc
	}
	return found
}

// Made are the ids of the unit, and of its transactions, that made what was found: none
// where it is no recorded version.
func (t *Target) Made(found recovery.Found) ([]string, error) {
	rec, err := t.Newest()
	if err != nil || rec == nil || rec.After != found.Version {
		return nil, err
	}
	made := []string{rec.Unit.String()}
	for _, tx := range rec.Txns {
		if id := tx.ID.String(); !slices.Contains(made, id) {
			made = append(made, id)
		}
	}
	return made, nil
}
