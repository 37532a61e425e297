package killpoints

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Unavailable says why commands can't be traced here, or is empty. Some
// containers forbid ptrace.
var Unavailable = sync.OnceValue(func() string {
	if _, err := Run(exec.Command("true"), Plan{}); err != nil {
		return "killpoints: this process may not trace another: " + err.Error()
	}
	return ""
})

// tracer follows every thread and child process of one command.
type tracer struct {
	plan    Plan
	main    int
	threads map[int]*thread
	res     Result
}

// thread is where a traced thread stands.
type thread struct {
	inCall bool // between the entry of a system call and its exit
	fake   bool // the call was suppressed: its result is set at the exit
}

// trace runs on one operating-system thread, because the kernel lets only the
// thread that started a tracee wait for it and command it.
func trace(cmd *exec.Cmd, plan Plan) (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A process group of its own tells the command's processes from others that
	// happen to have been started on this thread.
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	t := &tracer{plan: plan, main: cmd.Process.Pid, threads: map[int]*thread{cmd.Process.Pid: {}}}
	var late bool
	var mu sync.Mutex
	watchdog := time.AfterFunc(plan.Timeout, func() {
		mu.Lock()
		defer mu.Unlock()
		late = true
		_ = unix.Kill(-t.main, unix.SIGKILL) // it may have ended just now
	})
	err := t.follow()
	watchdog.Stop()
	if err != nil {
		_ = unix.Kill(-t.main, unix.SIGKILL) // nothing can be done where this fails
	}
	// The tracer has reaped the process, so Wait only collects the output; its
	// error says that there is no such child.
	_ = cmd.Wait()
	mu.Lock()
	defer mu.Unlock()
	if late {
		err = errors.Join(err, fmt.Errorf("no end within %v", plan.Timeout))
	}
	return t.res, err
}

const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL

// follow waits for stops until every tracee has gone.
func (t *tracer) follow() error {
	var ws unix.WaitStatus
	if _, err := wait(t.main, &ws); err != nil {
		return fmt.Errorf("first stop: %w", err)
	}
	if !ws.Stopped() {
		return fmt.Errorf("first stop: wait status %#x", ws)
	}
	if err := unix.PtraceSetOptions(t.main, options); err != nil {
		return fmt.Errorf("trace options: %w", err)
	}
	if err := resume(t.main, 0); err != nil {
		return err
	}
	for {
		tid, err := wait(-t.main, &ws)
		if errors.Is(err, unix.ECHILD) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if err := t.stopped(tid, ws); err != nil {
			return err
		}
	}
}

// wait is limited to what this thread traces: other children of the process are
// others' to wait for.
func wait(pid int, ws *unix.WaitStatus) (int, error) {
	for {
		tid, err := unix.Wait4(pid, ws, unix.WALL|unix.WNOTHREAD, nil)
		if !errors.Is(err, unix.EINTR) {
			return tid, err
		}
	}
}

// resume lets a thread go on to its next system call. It may have been killed
// meanwhile, of which a later wait tells.
func resume(tid, signal int) error {
	err := unix.PtraceSyscall(tid, signal)
	if err == nil || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return fmt.Errorf("resume: %w", err)
}

func (t *tracer) stopped(tid int, ws unix.WaitStatus) error {
	if ws.Exited() || ws.Signaled() {
		delete(t.threads, tid)
		if tid == t.main {
			t.ended(ws)
		}
		return nil
	}
	th := t.threads[tid]
	isNew := th == nil
	if isNew {
		th = &thread{}
		t.threads[tid] = th
	}
	switch sig := ws.StopSignal(); {
	case sig == unix.SIGTRAP|0x80:
		if err := t.atCall(tid, th); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		return resume(tid, 0)
	case sig == unix.SIGTRAP && ws.TrapCause() > 0:
		if ws.TrapCause() == unix.PTRACE_EVENT_EXEC {
			th.inCall = true // the exit of execve is still to come
		}
		return resume(tid, 0)
	case sig == unix.SIGSTOP && isNew:
		return resume(tid, 0) // how a new thread announces itself
	default:
		return resume(tid, int(sig))
	}
}

func (t *tracer) ended(ws unix.WaitStatus) {
	t.res.Code = -1
	if ws.Exited() {
		t.res.Code = ws.ExitStatus()
	} else {
		t.res.Signal = ws.Signal()
	}
}

// atCall is at the entry or the exit of a system call.
func (t *tracer) atCall(tid int, th *thread) error {
	th.inCall = !th.inCall
	if !th.inCall && !th.fake {
		return nil
	}
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	if !th.inCall {
		th.fake = false
		regs.Rax = uint64(-int64(t.plan.Action.errno))
		return unix.PtraceSetRegs(tid, &regs)
	}
	call, ok := decode(tid, &regs, &t.plan)
	if !ok {
		return nil
	}
	t.res.Calls = append(t.res.Calls, call)
	return t.act(tid, th, &regs)
}

// act does what is planned for this call, if it is the chosen one.
func (t *tracer) act(tid int, th *thread, regs *unix.PtraceRegs) error {
	n, a := len(t.res.Calls), t.plan.Action
	if t.plan.At == 0 || n < t.plan.At || n > t.plan.At && !a.onwards {
		return nil
	}
	t.res.Hit = true
	if a.errno == 0 {
		return unix.Kill(tid, unix.SIGKILL) // of any thread: it ends them all
	}
	th.fake = true
	regs.Orig_rax = ^uint64(0) // no such call: the kernel does nothing
	return unix.PtraceSetRegs(tid, regs)
}
