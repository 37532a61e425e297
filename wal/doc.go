// Package wal is the journal of one file: numbered records, each framed, checked and
// chained to the one before, in segments of tidwall/wal; and beside it a small state
// that says how far the file itself has come. It frames bytes and knows no JSON.
//
// # Where it is
//
// All of it is in the file's own directory, .jtx/files/<x>; a small file has two there:
//
//	lock                          1,024 bytes: package lockmgr's text, the state at 512
//	00000000000000000001          a segment, named by the LSN of its first record
//	00000000000000000417
//	…                             until 16 are there; then
//	00000000000000006641.d/       a group: as many of the next ones
//	  00000000000000006641
//	  …
//	00000000000000000001-00000000000000000416.zst
//	                              a compressed segment, of these records: what it
//	                              would hold as one zstd frame; never the last one
//	wal.N/                        or all segments of generation N: the greatest N is the
//	                              journal, and no segment beside it counts
//	wal.N.tmp/                    one that is being built
//	damaged/journal.<unit>/       a journal that was set aside, whole
//
// tidwall/wal looks at every file beside the one it appends to, and reads that one
// whole. Groups and a segment size of 64 KB keep both short, however long the history.
// It passes over the compressed ones.
//
// # Segment
//
// The entries of tidwall/wal's binary format, back to back:
//
//	+-----------------------------+-------+-----------------------------+-------+---
//	| length of frame, as uvarint | frame | length of frame, as uvarint | frame | …
//	+-----------------------------+-------+-----------------------------+-------+---
//
// A uvarint is the base-128 number of encoding/binary, in its shortest form only. An
// empty entry is not valid. The records of a segment end where those of the next one
// begin; what an older segment holds behind that has been replaced by a copied tail
// and counts no more.
//
// # Frame
//
// Little-endian throughout:
//
//	 0        4    5    6       8                16
//	+--------+----+----+-------+----------------+
//	| "jtxr" | v1 |kind| flags | LSN            |
//	+--------+----+----+-------+----------------+
//	| unit, 16 bytes                            |
//	+----------+----------+----------+----------+ 32
//	| length   | prev     | crc      | payload …
//	+----------+----------+----------+ 44
//
//	v1       version, 1
//	kind     1 patch, 2 image, 3 abort, 4 in place, 5 note, 6 intent, 7 clash,
//	         8 decision, 9 begin
//	flags    1 foreign, 2 lazy, 4 no dir sync, 8 found, 16 behind, 32 resumed, 64 remade,
//	         128 clock
//	length   of the payload in bytes
//	prev     crc of the frame before; 0 in the first of the journal's directory
//	crc      CRC32C of the whole frame without these four bytes
//
// The payload:
//
//	rev           uvarint
//	lag           uvarint    LSN - durable, at least 1
//	unnamed       uvarint    LSN - named, at least 1
//	staged        uvarint    inode of the staged file, or 0
//	before        version    00, or 01 and uvarint size and 8 bytes of XXH64
//	after         version
//	participants  uvarint    how many; each:
//	                workspace 16 bytes, root text, path text, lsn uvarint,
//	                count uvarint, at least 1
//	txns          uvarint    how many; each:
//	                id 16 bytes, time 8 bytes (ns since 1970, two's complement;
//	                the least number: none), actor text, message text, patch bytes,
//	                request id text, at most 128 bytes
//	                splices  uvarint  how many; each:
//	                           gap uvarint (from the end of the one before, or 0, to
//	                           its offset), length uvarint, bytes
//	                origins  uvarint  how many; each:
//	                           kind 1 byte, transaction 16 bytes, path text, rev uvarint
//	facts         uvarint    in kinds begin and decision: how many; each:
//	                unit 16 bytes, lsn uvarint, outcome 1 byte
//	unknown       uvarint    in kind begin: nothing below this LSN is known but by facts
//	run           uvarint    with flag clock, at most 65,535
//	clock         8 bytes    with flag clock, as a transaction's time
//	image         the rest, in kinds image, in place, intent and clash; else there is
//	              no rest
//
// Text and bytes are a uvarint length and that many bytes. What parses is written
// again byte for byte: there is one way to say a thing. A gap can't be negative, so
// splices are in order and none overlaps. A kind of origin that isn't known is kept,
// and means nothing. Every later version keeps the header's size and the places of
// version, kind, flags, LSN, length and crc, so that what is newer ([ErrVersion]) can
// be told from what is damaged ([ErrCorrupt]). A flag or a kind of record that isn't
// known is newer too.
//
// # Compression
//
// Segments that are full, but for the last two, are compressed, four into one
// ([Log.Pack]). The compressed one is written as
// <name>.zst.TEMP, synced and renamed, and its directory synced; then those that it
// replaces are removed. Its name says which records it has, so that any of those that
// a crash has left beside it are known to be replaced: readers pass over them, and the
// next writer that looks removes them.
//
// # Generations
//
// Compaction ([Log.DropBefore]) builds wal.N.tmp of the records from an image on, with the
// LSNs they had, syncs it whole, and renames it to wal.N. When that is durable, the
// generation before is removed. The state is marked pending in between, because it names
// a tail of the old one: so whoever opens the journal after a crash finds the greatest N,
// syncs the directory, and goes on with the removing. Of the segments only the first and
// the last are written; those between get a second name. None of these is written to again,
// in either generation: where the old one goes on after all, it appends to its own last one.
// Redaction ([Log.Rebuild]) writes all anew.
//
// A generation that does not begin at record 1 begins with a record of kind begin, in the
// place of the last one that is gone. What follows it names a predecessor that is not
// there, which is not checked.
//
// A damaged journal is set aside by the same switch ([SetAside]): its successor's begin
// has the greatest LSN that is seen anywhere in it, and 2^20; what was there is moved to
// damaged/, not removed. Lock and state are overwritten and never moved.
//
// # Facts
//
// A unit of several files is committed when each of their journals holds its record: so
// one whose end is such a record asks the others. What a journal has dropped is answered
// by the facts of its begin: of each dropped record of several files whose other journals
// are not known to be durably past it, and of each that took the LSN of a unit which may
// have been cut off (flag resumed: the two records behind where a writer found a commit
// unfinished, or another boot's state), the unit and what became of it. An LSN with no
// fact is unknown, and never taken for committed. No other file's lock is needed.
//
// The records in a journal have rising times ([Log.Clock]), so a time or a revision is
// found by binary search over the segments ([Seek]). Where a clock was ahead once, what is
// made behind that is dated behind it, and has its own time besides ([ByClock]). Those times
// rise within a run; [Record.Run] counts how often they did not, so they are found too: run
// by run.
//
// # State
//
// Eight bytes to a row but where another size is given:
//
//	  0  "jtxs", version (2), flags (2)   24  gen (4), crc of the last record (4)
//	  8  boot, 16 bytes
//	 32  last          40  durable        48  applied       56  rev
//	 64  group         72  segment        80  offset        88  image
//	 96  since image  104  file: dev     112  ino          120  size
//	128  mtime        136  ctime         144  content: size
//	152  its hash    160  written        168  time         176  size of the last entry
//	184  boot it was written in, 16 bytes    200  own dev     208  own ino
//	216  own birth   224  named      232  resumed     240  sequence number
//	248  mode (2), run (2)           252  CRC32C of the 252 bytes before
//
// It has two places, at bytes 512 and 768 of the lock, which are written in turn: the even
// sequence numbers at the first. The greater number of those that check out is the state.
// So a write that fails in its midst leaves the one before, and is as one never made.
// Flags: 1 pending, 2 in place, 4 the content exists, 8 it is strict JSON. See [State]
// for the meanings. It is written twice in a commit, unsynced: pending before the first
// append, settled after the file was replaced. Processes of the same boot share the page
// cache it is in, and believe it; in another boot only its durable and named marks count,
// which were true when it was written and stay so. One that names another file than the
// one it is in, by device, inode and birth, was copied, and is taken for another boot's. A
// torn or missing state is no state.
//
// # Torn tail or corruption
//
// An entry that does not check out at LSN k is corruption, and refused, if k was
// durable: the durable mark of the state is at or above k, or that of a whole frame
// behind it is, or a later segment exists. Else it is a torn tail: readers end there,
// and [Open] cuts it, with all that is behind it, before anything is appended. A
// journal that ends below the state's durable mark is corruption too.
//
// # Durable
//
// [Log.Sync] makes records durable. The names that lead to a segment are durable before
// any of its records is relied on, and a segment is durable before the next is begun.
// The first error sticks, and a sync is never tried twice: [Log.Reopen] reads the disk
// again, and copies records above the durable mark into a new segment, synced under
// another name and renamed. So does the next process that finds such records and can't
// know whether a sync of them has failed ([Log.Secure]).
//
// # Who may do what
//
// A [Log] is for the holder of the file's exclusive lock. [Scan], [ScanBack],
// [ReadRecord], [Inspect] and [ReadState] need no lock, write nothing, and never open
// tidwall/wal, whose opening changes files.
//
// Format 1 is frozen, with its golden files under testdata/format1, when 0.1.0 is
// tagged; until then it may change.
package wal
