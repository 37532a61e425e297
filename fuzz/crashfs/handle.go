package crashfs

import (
	"io/fs"

	"github.com/jtx-project/jtx/wal/fsys"
)

// handle is an open file of a Recorder. It keeps its own offset, because the
// interface has no way to ask for it.
type handle struct {
	fsys.File
	r       *Recorder
	node    *node
	path    string
	appends bool
	offset  int64
}

func (h *handle) Read(p []byte) (int, error) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	n, err := h.File.Read(p)
	h.offset += int64(n)
	return n, err
}

func (h *handle) Write(p []byte) (int, error) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.observe()
	if h.appends {
		h.offset = int64(len(h.node.data))
	}
	n, err := h.File.Write(p)
	h.wrote(p[:max(n, 0)], h.offset)
	h.offset += int64(n)
	return n, err
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.observe()
	n, err := h.File.WriteAt(p, off)
	h.wrote(p[:max(n, 0)], off)
	return n, err
}

// wrote logs what was written, which a failed call may have done in part.
func (h *handle) wrote(p []byte, off int64) {
	if len(p) > 0 {
		h.r.written(h.node, h.path, p, off, false)
		h.refresh()
	}
}

func (r *Recorder) written(n *node, path string, p []byte, off int64, foreign bool) {
	end := off + int64(len(p))
	grows := end > int64(len(n.data))
	n.data = grow(n.data, end)
	copy(n.data[off:], p)
	r.emit(Event{Op: OpWrite, Node: n.id, Off: off, Data: append([]byte(nil), p...), Grows: grows, Path: path, Foreign: foreign})
}

func (r *Recorder) truncated(n *node, path string, size int64, foreign bool) {
	grows := size > int64(len(n.data))
	n.data = grow(n.data, size)[:size]
	r.emit(Event{Op: OpTruncate, Node: n.id, Size: size, Grows: grows, Path: path, Foreign: foreign})
}

// grow extends data with zeros to at least size.
func grow(data []byte, size int64) []byte {
	if n := size - int64(len(data)); n > 0 {
		data = append(data, make([]byte, n)...)
	}
	return data
}

func (h *handle) Truncate(size int64) error {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.observe()
	if err := h.File.Truncate(size); err != nil {
		return err
	}
	if size != int64(len(h.node.data)) {
		h.r.truncated(h.node, h.path, size, false)
	}
	h.refresh()
	return nil
}

func (h *handle) Sync() error     { return h.sync(OpSync, h.File.Sync) }
func (h *handle) Datasync() error { return h.sync(OpDatasync, h.File.Datasync) }

// sync runs the call outside the lock, so that syncs overlap as they do in the
// program; only what was written before it started is covered.
func (h *handle) sync(op Op, call func() error) error {
	h.r.mu.Lock()
	h.r.observe()
	since := len(h.r.events)
	h.r.mu.Unlock()
	err := call()
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.observe()
	h.r.emit(Event{Op: op, Node: h.node.id, Since: since, Failed: err != nil, Path: h.path, kind: h.node.kind})
	return err
}

func (h *handle) Chmod(mode fs.FileMode) error {
	return h.changeAttr(func() error { return h.File.Chmod(mode) })
}

func (h *handle) Chown(uid, gid int) error {
	return h.changeAttr(func() error { return h.File.Chown(uid, gid) })
}

// changeAttr asks the kernel for the result: chown clears bits of the mode.
func (h *handle) changeAttr(call func() error) error {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.observe()
	if err := call(); err != nil {
		return err
	}
	st, err := h.File.Stat()
	if err != nil {
		return err
	}
	h.r.attrChanged(h.node, h.path, attrOf(st), false)
	return nil
}

func (r *Recorder) attrChanged(n *node, path string, a attr, foreign bool) {
	if a == n.attr {
		return
	}
	n.attr = a
	r.emit(Event{Op: OpAttr, Node: n.id, Path: path, attr: a, Foreign: foreign})
}

// refresh notes that the model has the file's content as it is now. Where the
// file can't be asked the next comparison reads it.
func (h *handle) refresh() {
	if st, err := h.File.Stat(); err == nil && h.node.kind == kindFile {
		h.node.seen = stampOf(st)
	}
}
