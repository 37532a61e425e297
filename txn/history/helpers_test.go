package history_test

import "github.com/jtx-project/jtx/txn/internal/storetest"

var (
	openStore   = storetest.Open
	write       = storetest.Write
	read        = storetest.Read
	set         = storetest.Set
	get         = storetest.Get
	restore     = storetest.Restore
	verify      = storetest.Verify
	longHistory = storetest.LongHistory
	random      = storetest.Random
)
