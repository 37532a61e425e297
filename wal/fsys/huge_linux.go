package fsys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for huge pages where buf is, and as far again behind it: there the
// runtime puts what is allocated next, which mostly is the changed document. Its
// neighbours in the heap get them, too. It is only advice, and what of the range is not
// mapped is passed over: so the error tells nothing.
func adviseHuge(buf []byte) {
	const page = uintptr(minHuge)
	lo := uintptr(unsafe.Pointer(unsafe.SliceData(buf)))
	hi := lo + 2*uintptr(len(buf))
	lo, hi = lo&^(page-1), (hi+page-1)&^(page-1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, lo, hi-lo, unix.MADV_HUGEPAGE)
}
