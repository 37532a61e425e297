package txn_test

import (
	"context"
	"fmt"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/admin"
	"github.com/jtx-project/jtx/txn/history"
	"github.com/jtx-project/jtx/wal"
)

func init() {
	ctx := context.Background()
	rooms := &txn.TestRooms
	rooms.Recover = func(s *txn.Store, file string) error {
		_, err := admin.Recover(ctx, s, []string{file}, admin.RecoverOptions{})
		return err
	}
	rooms.Verify = func(s *txn.Store) error {
		results, err := admin.Verify(ctx, s, nil, admin.VerifyOptions{})
		for _, r := range results {
			if r.Err != nil || r.Unfinished {
				return fmt.Errorf("%s: unfinished %v, %w", r.File, r.Unfinished, r.Err)
			}
		}
		return err
	}
	rooms.Compact = func(s *txn.Store, file string) error {
		_, err := admin.Compact(ctx, s, []string{file}, admin.Retention{Revs: 1})
		return err
	}
	rooms.Log = func(s *txn.Store, file string) (list []txn.Logged, err error) {
		for e, err := range history.Log(ctx, s, []string{file}, history.LogOptions{}) {
			if err != nil {
				return nil, err
			}
			list = append(list, txn.Logged{ID: e.ID, Actor: e.Actor})
		}
		return list, nil
	}
	rooms.Undo = func(s *txn.Store, id wal.ID) error {
		_, err := history.Undo(ctx, s, id)
		return err
	}
	rooms.Version = func(s *txn.Store, file string, rev uint64) (string, error) {
		v, err := history.ReadVersion(ctx, s, file, history.AtRev(rev))
		return string(v.Data), err
	}
}
