package lockmgr

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// Process names one process, also after its pid has been used again.
type Process struct {
	PID int `json:"pid"`
	// Start is when it began, in clock ticks since the machine was started.
	Start uint64 `json:"start,omitempty"`
	Host  string `json:"host,omitempty"`
	// Boot is the kernel's id of the time since the machine was started.
	Boot string `json:"boot,omitempty"`
	// PIDNS is the pid namespace in which PID means this process.
	PIDNS string `json:"pidns,omitempty"`
}

func (p Process) String() string { return fmt.Sprintf("pid %d on %s", p.PID, p.Host) }

// Liveness is what can be said about a process.
type Liveness uint8

const (
	// Unknown is a process of another host or pid namespace. It counts as
	// alive until its time is over.
	Unknown Liveness = iota
	Alive
	Dead
)

func (l Liveness) String() string { return [...]string{"unknown", "alive", "dead"}[l] }

// Self is the calling process.
func Self() Process { return self() }

var self = sync.OnceValue(func() Process {
	p := selfNow()
	p.Boot = bootID()
	return p
})

// selfNow is the calling process without its boot: all that is of use while it runs.
var selfNow = sync.OnceValue(func() Process {
	host, _ := os.Hostname()
	p := Process{PID: os.Getpid(), Host: host, PIDNS: pidNamespace()}
	p.Start, _ = startTicks(p.PID)
	return p
})

// ProcessOf describes a running process of the caller's host and pid namespace.
// The error wraps [os.ErrProcessDone] where there is none.
func ProcessOf(pid int) (Process, error) {
	p := Self()
	p.PID = pid
	start, running := startTicks(pid)
	if !running {
		return Process{}, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	p.Start = start
	return p, nil
}

// Alive says whether the process still runs. A process of an earlier boot of
// this host is dead, and so is one whose pid belongs to another process now, or
// which is a zombie.
func (p Process) Alive() Liveness {
	me := Self()
	if p.Host != me.Host {
		return Unknown
	}
	if p.Boot != me.Boot {
		return otherBoot(p, me)
	}
	if p.PIDNS != me.PIDNS {
		return Unknown
	}
	start, running := startTicks(p.PID)
	if !running || start != p.Start && start != 0 && p.Start != 0 {
		return Dead
	}
	return Alive
}

// Suspended says whether the process is stopped, as far as that can be seen: it lives,
// but does nothing until it gets SIGCONT.
func (p Process) Suspended() bool { return p.Alive() == Alive && isStopped(p.PID) }

// otherBoot judges a process of the same host name and another boot. Where one
// side doesn't know its boot nothing can be said.
func otherBoot(p, me Process) Liveness {
	if p.Boot == "" || me.Boot == "" {
		return Unknown
	}
	return Dead
}

// startedAt is the time that p.Start means, zero where it is not known. The
// process must be one of this boot.
func startedAt(p Process) time.Time {
	up, ok := uptime()
	if !ok || p.Start == 0 {
		return time.Time{}
	}
	age := up - time.Duration(p.Start)*(time.Second/ticksPerSecond)
	return time.Now().Add(-age).UTC().Truncate(time.Second)
}
