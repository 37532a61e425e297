package admin

// How histories are kept.
//
// Retention. The cut is the newest image from which every kept version can be derived. A
// commit, or the adoption of an edit, compacts a journal over 64 MB, looking only when it has
// begun a segment, and only where that at least halves it: the cost is in proportion to what
// was written. What other journals may still ask of dropped records is answered by facts in the
// record with which the new generation begins (see the package documentation of wal): of each
// record of several files whose other journals are not known to be durably past it, and of each
// behind a commit that was cut off. What has no fact is unknown (in doubt), never committed. No
// other file is locked for that.
//
// Redaction replaces the values in each version, derives the patches anew where they gave the
// pointer a value, and makes the chain anew in a new generation. First it cleans what is beside
// the journal: set-aside copies and journals, the log of operations, and messages in the
// journals of the transactions' other files, whose locks it takes along; those that hold a
// value themselves are named. So one that was cut off can be run again.
//
// A backup is checked as a stream, and never trusted: paths stay below the directory, also
// through links, a former one must hold what it held, and none builds on itself. A file that
// comes back from one, and its journal, are narrowed as a moved one.
//
// Protected files.
//
// .jtx/config.json has patterns of files that matter. Any program may make such a file at any
// time, so what has no history yet is looked for: what only reads (status, verify) shows it as
// untracked and creates nothing; protect, protect --heal, recover, backup and, after its
// commit, every changing verb take its first image. That is no part of the commit, waits for
// nobody, and is done for at most 32 files at a time. A change looks for files of a pattern
// with in the directories of its own files only, so that its cost does not grow with the tree.
// A file that holds no JSON and has no version is reported as damaged, by name, and left alone.
//
// protect --heal and the functions of jtx shellenv bring the last good version of a damaged one
// back. A file that is no JSON is looked at again after 100 ms: editors truncate, then write.
