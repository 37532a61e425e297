// Package workspace knows where things are: which workspace a file belongs to and who
// makes it, where the file's journal is and who may use it, what is set there, and where
// the file stands in its history by `state` alone. It reads no record but the last, and
// locks nothing but what it makes or takes away.
//
// A [Site] resolves each name to a [Target]; a [FileSet] has those of one call, and finds
// the other files of their transactions; a [Scope] has what is at, above and below paths.
//
// # Which one covers a file
//
// The nearest .jtx from a file's directory upwards covers it, if it is in that directory itself
// or says tree. Where none does, the first write makes one for the file's directory. A call
// that is refused takes away again what it made (unmake.go), under the workspace's lock,
// alone, unless somebody has used it; who waited for a lock in it finds it gone, and starts
// again.
//
// One file must have one lock domain, whoever races. A workspace is built whole under another
// name (.jtx.<ULID>.tmp), synced, and placed by a rename, with its format under the name
// format.new. It is active once that is renamed to format (activate). Every transaction holds
// the lock of its workspace shared, and after locking looks again for a nearer .jtx, placed or
// active. Whoever activates a workspace looks for a farther one after placing it. So of two
// that race, at least one sees the other:
//
//   - either the transaction sees the nearer workspace, gives its locks back and starts again;
//   - or it looked before the placing; then the farther workspace was there before the placing,
//     and the activator sees it, takes its lock alone, which waits for the transaction to end,
//     settles what it left unfinished below the nearer root, and only then activates.
//
// # Whose is trusted
//
// Whose workspace is trusted: one that is the caller's, root's or the owner's of its directory;
// or, where the directory's group may write there and nobody else, one of that group: whoever
// made it could write there anyway. In a sticky directory each user has their own, .jtx.UID, by
// the owner of the file, so that a file has one, whoever uses it (a number behind it where
// somebody else has taken the name). One that is not trusted, or can't be read, covers nothing
// below its own directory, where it is refused. Of users who race to make one file in a sticky
// directory one wins; what the other recorded stays in their own. Paths in a journal are hints:
// a participant's workspace must have the recorded id, and its path must stay below the root.
//
// # Privacy by where things are
//
// Privacy by where things are (boundary.go): no mode of a journal can say what a path says.
// Where a directory between the root and the file keeps people out who may list or pass the
// root, has another owner, group or ACL, or is sticky, the topmost such directory that the
// caller can write in gets a workspace of its own (tree) at the first write below it. A journal
// that was there before is for the file's owner alone then, from the next write or recover on.
// A nearer workspace that is made (so, or by jtx init DIR) takes the histories below it along
// (along.go): under the farther one's lock, before it is active, and once begun whoever
// activates it goes on; its format says whose they were, since records of units name files by
// their paths in the workspace that was. Files of one workspace know each other's names.
//
// Directories and files below .jtx follow the mode, owner and group of the tracked file
// (access.go), but nobody may write a journal who may not write both the file and its
// directory; what is made for a new file belongs to its maker, and follows the mode that it was
// staged with. Where a file's mode is narrowed later, the next writer, or jtx recover, narrows
// the directory of its journal, which guards all in it; until then jtx verify warns. Where it
// is widened, what is inside follows too.
//
// # Entries
//
// A path below the workspace is escaped byte by byte: letters, digits, . (not first), _, -, +,
// =, , and space stay, all else is %XX. An escaped name over 120 bytes (file systems that
// encrypt names allow some 140) is %% and the SHA-256 of the path in hex instead, with the path
// kept in path.
//
// An entry below files is made as %new.<ULID>, which no path is escaped to: mode 0700, without
// the access control list that its directory gives it by default; the lock (1,024 bytes) and
// path in it, synced; then owner and mode; then it is synced and renamed into place
// (entry.go). So an entry is whole or none, wherever its maker is killed; of two makers the
// second finds the first one's. recover removes what is older than an hour. An entry has no
// access control list: where the file has one, the bits of its group are what the group itself
// has by it, and nothing where a user is named who may not read; others get no more than
// anybody named.
//
// Who may use a file only because its list names them is shown it, with a note, and has no
// history and changes nothing through jtx. The way to an entry, and what each writer makes in
// it, would need lists of their own, in step with those of the file and of each directory above
// it at each instant, a crash included; and what a named user makes there would be theirs, where
// the owner need not be named.
package workspace
