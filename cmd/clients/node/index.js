// Transactions over plain JSON files, by `jtx`.
import { resolve } from 'node:path'
import { Conflict, Lost, NotFound, UsageError } from './errors.js'
import { Session } from './session.js'

export * from './errors.js'
export { binary } from './binary.js'
export { Session }

const RETRIES = 10
let shared

/** The session of this process. */
export function session() { return (shared ??= new Session()) }

const layout = (data, indent) => JSON.stringify(data, null, indent) + '\n'

function changeOf(file, data, indent) {
  if (data === undefined) throw new UsageError('undefined is no JSON value')
  return indent === undefined ? { file: resolve(file), value: data } : { file: resolve(file), text: layout(data, indent) }
}

function valueOf(state, file, options) {
  if (state.exists) return state.value
  if (options && 'default' in options) return options.default
  throw new NotFound(`${file}: no such file`, { file })
}

/** The value at a pointer, of the whole file by default. */
export async function read(file, options = {}) {
  const { pointer = '', at, timeout, signal } = options
  try {
    const { files } = await session().ask('read', { files: [resolve(file)], pointer, ...(at !== undefined && { at: String(at) }) }, { timeout, signal })
    return valueOf(files[0], file, options)
  } catch (e) {
    if (e instanceof NotFound && 'default' in options) return options.default
    throw e
  }
}

/** Makes data the whole document. */
export async function write(file, data, { indent, message = '', timeout, signal } = {}) {
  await session().change([changeOf(file, data, indent)], { message }, { timeout, signal })
}

/** Replaces the document by what fn makes of it, while nobody else can change it. */
export async function update(file, fn, options = {}) {
  const { message, timeout, signal } = options
  for (let n = 1; ; n++) {
    try {
      return await transaction([file], async tx => {
        const old = take(tx, file, 'default' in options ? { default: structuredClone(options.default) } : {})
        const made = await fn(old)
        const value = made === undefined ? old : made
        replace(tx, file, value)
        return value
      }, { message, timeout, signal })
    } catch (e) {
      if (!(e instanceof Lost || e instanceof Conflict) || !e.retryable || n === RETRIES) throw e
    }
  }
}

/** Runs fn with files that nobody else can change, and commits what it did: all or nothing. */
export async function transaction(files, fn, options = {}) {
  if (files.length === 0) throw new UsageError('a transaction over no files')
  const names = files.map(f => resolve(f))
  const begun = await session().begin(names, options)
  const tx = new Transaction(begun, names)
  let result
  try {
    result = await fn(tx)
  } catch (e) {
    tx.end()
    await session().within(begun, 'abort', {}).catch(() => {}) // it is gone already; what matters is e
    throw e
  }
  await session().commit(begun, tx.end(), names)
  return result
}

// For update, whose value nobody else has, and is sent at once: neither is copied.
let take
let replace

export class Transaction {
  static {
    take = (tx, file, options) => valueOf(tx.#values.get(resolve(file)), file, options)
    replace = (tx, file, data) => tx.#stage(changeOf(file, data))
  }

  #begun
  #values
  #staged = []
  #open = true

  constructor(begun, names) {
    this.#begun = begun
    this.#values = new Map(names.map((name, i) => [name, begun.states[i]]))
  }

  /** As read, with what the transaction has changed. */
  async read(file, options = {}) {
    const name = resolve(file)
    const { pointer = '' } = options
    this.#check()
    try {
      let state = this.#staged.length === 0 && pointer === '' ? this.#values.get(name) : undefined
      if (!state) {
        await this.#flush()
        state = (await session().within(this.#begun, 'read', { files: [name], pointer })).files[0]
      }
      return structuredClone(valueOf(state, file, options))
    } catch (e) {
      if (e instanceof NotFound && 'default' in options) return options.default
      throw e
    }
  }

  write(file, data, { indent } = {}) { this.#stage(structuredClone(changeOf(file, data, indent))) }
  set(file, pointer, value) { this.#stage({ file: resolve(file), set: { [pointer]: structuredClone(value) } }) }
  delete(file, ...pointers) { this.#stage({ file: resolve(file), delete: pointers }) }
  merge(file, patch) { this.#stage({ file: resolve(file), merge: structuredClone(patch) }) }
  patch(file, operations) { this.#stage({ file: resolve(file), patch: structuredClone(operations) }) }

  /** Ends it, and returns what is staged and not sent. */
  end() {
    this.#check()
    this.#open = false
    return this.#staged
  }

  #check() {
    if (!this.#open) throw new UsageError('the transaction is not open')
  }

  #stage(change) {
    this.#check()
    this.#values.delete(change.file)
    this.#staged.push(change)
  }

  async #flush() {
    const changes = this.#staged
    this.#staged = []
    if (changes.length > 0) await session().within(this.#begun, 'change', { changes })
  }
}
