package fsys

// writeOutStep is after how many bytes the disk gets what was written so far.
const writeOutStep = 1 << 20

// WriteOut is WriteAt to a file that will be synced: while the rest of a large content is
// still being copied, the system begins to write to the disk what was, so that the
// Sync waits for less of it. Only the Sync makes anything durable.
func WriteOut(f File, data []byte, off int64) error {
	for from := 0; from < len(data); from += writeOutStep {
		part := data[from:min(from+writeOutStep, len(data))]
		if _, err := f.WriteAt(part, off+int64(from)); err != nil {
			return err
		}
		if len(data) == len(part) {
			return nil
		}
		if err := startWriteOut(f, off+int64(from), int64(len(part))); err != nil {
			return err
		}
	}
	return nil
}
