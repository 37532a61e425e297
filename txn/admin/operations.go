package admin

import (
	"time"

	"github.com/jtx-project/jtx/txn"
	"github.com/jtx-project/jtx/txn/internal/oplog"
)

// The settings of the log of operations.
const (
	SettingLog      = oplog.SettingLog
	SettingLogBytes = oplog.SettingLogBytes
)

// MinLogBytes is the least that SettingLogBytes may be; the default is
// DefaultLogBytes.
const (
	MinLogBytes     = oplog.MinLogBytes
	DefaultLogBytes = oplog.DefaultLogBytes
)

// Operation is what one transaction or redaction did, or a wait for a lease that
// failed, as the log of operations has it.
type Operation = oplog.Operation

// Operations reads the logs of the workspaces at, above and below the store's
// directory, oldest first. What is no line of a log is passed over.
func Operations(store *txn.Store, since time.Time) ([]Operation, error) {
	s := of(store)
	return s.Log.Operations(since)
}
