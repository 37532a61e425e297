// What can go wrong, by the codes of jtx.

/** An error of jtx. `retryable` tells whether the same work, begun again, can succeed. */
export class JtxError extends Error {
  constructor(message, { code = 'error', file, pointer, hint, retryable = false } = {}) {
    super(hint ? `${message} (${hint})` : message)
    this.name = new.target.name
    Object.assign(this, { code, file, pointer, hint, retryable })
  }
}
const kind = code => class extends JtxError {
  constructor(message, details = {}) { super(message, { ...details, code }) }
}
export class NotFound extends kind('no') {}
export class UsageError extends kind('usage') {}
export class Conflict extends kind('conflict') {}
export class Locked extends kind('locked') {}
export class Invalid extends kind('invalid') {}
export class Damaged extends kind('damaged') {}
export class IOFailure extends kind('io') {}
export class InDoubt extends kind('in-doubt') {}
/** The jtx process died, and what it was asked for is not committed. */
export class Lost extends kind('lost') {}
/** There is no jtx to run. */
export class NoBinary extends kind('no-binary') {}

const byCode = { no: NotFound, usage: UsageError, conflict: Conflict, locked: Locked, invalid: Invalid, damaged: Damaged, io: IOFailure, 'in-doubt': InDoubt }

/** The error that a session answers. */
export function fromAnswer({ code, message, ...details }) {
  return new (byCode[code] ?? JtxError)(message, details)
}
