package wal

// A sync of a file that has grown has its metadata to write too, which can take as
// long again as the record. So where one commit follows the other while the lock is
// held, records are written over zeros that are there already, and were made durable
// with a record before. What is left of them is cut before the lock is given back.
// Where it never was, they look like a torn tail, and are cut as that.
//
// On ext4 with a journal of its own, as most disks have it, one writer is 1.2 times as
// fast by that, and 1.4 times with write-behind (cmd/peers/README.md).

// roomAfter is how many appends show that more will follow.
const roomAfter = 4

// mostRoom is the greatest number of zeros, in bytes. A record that finds less makes
// the file grow.
const mostRoom = DefaultSegmentSize

var blank [mostRoom]byte

// makeRoom writes zeros behind the last record, at most up to where the segment is full, if
// there are none and it is worth it. They are not needed: where the disk is full, or
// fails, it is tried again some records later.
func (l *Log) makeRoom() error {
	l.run++
	n := min(int64(l.opt.SegmentSize)-l.state.Offset, mostRoom)
	if l.room > 0 || l.run < roomAfter || n <= 0 {
		return nil
	}
	l.run = 0
	if _, err := l.tail.WriteAt(blank[:n], l.state.Offset); err != nil {
		return l.tail.Truncate(l.state.Offset)
	}
	l.room = n
	return nil
}

// takeRoom notes that a record of so many bytes has been written over the zeros, or
// what there was of them.
func (l *Log) takeRoom(size int64) { l.room = max(l.room-size, 0) }

// CutRoom cuts what was written behind the last record for those that might follow.
// It must be called before the lock is given back. That is not durable: a torn tail
// is cut by whoever finds it. An error sticks.
func (l *Log) CutRoom() error {
	if err := l.usable(); err != nil {
		return err
	}
	l.run = 0
	if l.room == 0 {
		return nil
	}
	l.room = 0
	return l.fail(l.tail.Truncate(l.state.Offset))
}
