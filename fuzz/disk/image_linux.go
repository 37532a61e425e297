package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Kind is a file system to try, and how an image of it is made.
type Kind struct {
	Name    string
	Size    int64 // of the smallest image that its mkfs makes
	Mkfs    []string
	Options string // of mount
}

// Kinds are the file systems that people keep their files on.
var Kinds = []Kind{
	{"ext4", 24 << 20, []string{"mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", "-E", "nodiscard,lazy_itable_init=0"}, ""},
	{"xfs", 300 << 20, []string{"mkfs.xfs", "-q", "-f", "-K"}, ""},
	{"btrfs", 128 << 20, []string{"mkfs.btrfs", "-q", "-f", "-K"}, "nodiscard"},
}

// Missing says what this machine lacks for the kind, empty where nothing.
func (k Kind) Missing() string {
	if _, err := exec.LookPath(k.Mkfs[0]); err != nil {
		return fmt.Sprintf("%s is not installed", k.Mkfs[0])
	}
	known, err := os.ReadFile("/proc/filesystems")
	if err == nil && !strings.Contains(string(known), "\t"+k.Name+"\n") {
		return fmt.Sprintf("the kernel has no %s", k.Name)
	}
	return ""
}

// Make writes an image with an empty file system.
func (k Kind) Make(image string, size int64) error {
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(image, max(size, k.Size)); err != nil {
		return err
	}
	out, err := exec.Command(k.Mkfs[0], append(k.Mkfs[1:], image)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", k.Mkfs[0], err, out)
	}
	return nil
}

// Mount mounts the image at dir through a loop device, which goes with the mount.
func (k Kind) Mount(image, dir, options string) error {
	loop, err := attach(image)
	if err != nil {
		return err
	}
	defer loop.Close() // the mount keeps it
	if k.Options != "" && options != "" {
		options = k.Options + "," + options
	}
	if err := unix.Mount(loop.Name(), dir, k.Name, unix.MS_NOATIME, max(options, k.Options)); err != nil {
		return fmt.Errorf("mounting %s (%s) at %s: %w", image, k.Name, dir, err)
	}
	return nil
}

// attach finds a free loop device for the image. Others may be looking too.
func attach(image string) (*os.File, error) {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	ctl, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer ctl.Close()
	for range 100 {
		n, err := unix.IoctlRetInt(int(ctl.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("no loop device is free: %w", err)
		}
		loop, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := &unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		err = unix.IoctlLoopConfigure(int(loop.Fd()), config)
		if err == nil {
			return loop, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s: attaching %s: %w", loop.Name(), image, err)
		}
	}
	return nil, errors.New("no loop device stays free")
}

// Unmount waits for whoever is just leaving.
func Unmount(dir string) error {
	for range 200 {
		err := unix.Unmount(dir, 0)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s: somebody does not leave: %w", dir, unix.EBUSY)
}

// shutdownCall is FS_IOC_SHUTDOWN, _IOR('X', 125, u32); ext4 and xfs have it.
const shutdownCall = 0x8004587d

// CutPower shuts the file system at dir down as a power cut does: what its log
// has not on disk is lost, and every later call fails. It is false where the file
// system has no such call.
func CutPower(dir string) (bool, error) {
	f, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const noLogFlush = 2
	err = unix.IoctlSetPointerInt(int(f.Fd()), shutdownCall, noLogFlush)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
		return false, nil
	}
	return err == nil, err
}
