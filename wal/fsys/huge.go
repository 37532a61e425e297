package fsys

// hugePages is set before anything is read.
var hugePages bool

// UseHugePages lets large files be read into huge pages, where the system gives them:
// one page fault for 2 MB, in place of 512, which are most of what reading a file
// costs that is in the page cache: jtx get and set of 5 MB take a quarter less time. It is for a process that soon ends, and is called
// before anything is read. In one that lives long the advice would outlive the buffer,
// and the kernel could fill up again what the runtime has given back.
func UseHugePages() { hugePages = true }

// minHuge is the size in bytes from which huge pages pay.
const minHuge = 2 << 20

// makeBuffer makes a buffer that is about to be filled.
func makeBuffer(size int64) []byte {
	buf := make([]byte, size)
	if hugePages && size >= minHuge {
		adviseHuge(buf)
	}
	return buf
}
