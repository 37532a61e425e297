package txn

import (
	"time"

	"github.com/jtx-project/jtx/txn/internal/oplog"
)

// logOperation logs a transaction, but for one that changed nothing.
func (s *Store) logOperation(names []string, c *call, began time.Time, res Result, err error) {
	if err != nil || !res.ID.IsZero() {
		s.logOutcome(names, c, began, res, err)
	}
}

func (s *Store) logOutcome(names []string, c *call, began time.Time, res Result, err error) {
	if !c.dryRun {
		s.log.Add(names, c.targets, oplog.Done{ID: res.ID, Actor: c.actor, Began: began, Waited: res.Waited, Err: err})
	}
}
