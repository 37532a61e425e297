package admin_test

import "github.com/jtx-project/jtx/txn/internal/storetest"

var (
	openStore    = storetest.Open
	inMemory     = storetest.InMemory
	write        = storetest.Write
	read         = storetest.Read
	set          = storetest.Set
	get          = storetest.Get
	stage        = storetest.Stage
	restore      = storetest.Restore
	verify       = storetest.Verify
	everything   = storetest.Everything
	longHistory  = storetest.LongHistory
	historySince = storetest.HistorySince
	halfGone     = storetest.HalfGone
)
