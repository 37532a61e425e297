package wal

import (
	"crypto/rand"
	"sync"
)

// BootID names this boot of the machine. Where the system can't tell, each
// process counts as a boot of its own: nothing of another process's state is
// believed then, and hashes decide, which is slower and as safe.
func BootID() [16]byte { return bootID() }

var bootID = sync.OnceValue(func() [16]byte {
	id, ok := systemBootID()
	if !ok {
		_, _ = rand.Read(id[:]) // never fails
	}
	return id
})
