//go:build !linux

package lockmgr

// leaseWatch watches nothing here, so that the lease is looked at now and then.
type leaseWatch struct {
	events   chan struct{}
	complete bool
}

func newLeaseWatch(string, *Process) *leaseWatch { return &leaseWatch{} }

func (*leaseWatch) close() {}
