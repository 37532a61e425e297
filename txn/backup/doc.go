// Package backup writes and reads the archives of jtx backup: a directory, or a
// .tar, .tar.gz or .tar.zst. It knows no journals, only names and bytes.
//
// An archive has the files below files/, under their paths, and behind them the
// manifest jtx-backup.json, with the hash of each. An archive without a manifest
// is one that was never finished. It is made under another name and renamed when
// it is complete and durable. Nothing in it is readable by more people than the
// file it came from; an archive that is one file is readable by its owner alone.
package backup
