// One `jtx session`: a child process that does many operations.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { binary } from './binary.js'
import { fromAnswer, JtxError, Lost, NoBinary } from './errors.js'

const PROTOCOL = 1
const MAX_LINE = 256 * 2 ** 20 // of an answer, in characters
const GRACE = 5000 // ms that a session may take beyond a request's time limit
const ATTEMPTS = 10 // processes that may die over one request

/** Why a promise was rejected whose process has died. */
const GONE = Symbol('gone')

class Child {
  constructor(command) {
    this.waiting = new Map()
    this.text = []
    this.size = 0
    this.dead = false
    this.process = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.ready = new Promise((resolve, reject) => { this.greet = { resolve, reject } })
    this.ready.catch(() => {}) // who waits for it gets it
    this.process.on('error', e => this.end(new NoBinary(`${command[0]} can't be run: ${e.message}`)))
    this.process.on('exit', () => this.end(GONE))
    this.process.stdin.on('error', () => this.end(GONE))
    this.process.stdout.setEncoding('utf8').on('data', part => this.take(part)).on('end', () => this.end(GONE))
  }

  /** Lets this process end although the child runs, unless somebody waits for an answer. */
  hold(on) {
    for (const part of [this.process, this.process.stdin, this.process.stdout]) part?.[on ? 'ref' : 'unref']?.()
  }

  take(part) {
    let from = 0
    for (let at; (at = part.indexOf('\n', from)) >= 0; from = at + 1) {
      const line = this.text.join('') + part.slice(from, at)
      this.text = []
      this.size = 0
      this.deliver(JSON.parse(line))
    }
    this.text.push(part.slice(from))
    if ((this.size += part.length - from) > MAX_LINE) this.process.kill('SIGKILL')
  }

  deliver(answer) {
    if (this.greet) {
      const { resolve, reject } = this.greet
      this.greet = undefined
      if (answer.session === PROTOCOL) resolve()
      else reject(new NoBinary(`jtx speaks protocol ${answer.session}, and this client ${PROTOCOL}`))
      return
    }
    const wait = this.waiting.get(answer.id)
    if (!wait) return
    if ('event' in answer) return wait.event?.(answer.event)
    this.waiting.delete(answer.id)
    if (this.waiting.size === 0) this.hold(false)
    if (answer.error) wait.reject(fromAnswer(answer.error))
    else wait.resolve(answer.result)
  }

  end(why) {
    if (this.dead) return
    this.dead = true
    this.process.kill('SIGKILL')
    this.greet?.reject(why)
    this.greet = undefined
    for (const { reject } of this.waiting.values()) reject(why)
    this.waiting.clear()
  }
}

/** A store of JSON files, behind a process that is started when it is first needed, and again
 * when it has died. */
export class Session {
  #command
  #child
  #number = 0

  constructor(command) { this.#command = command }

  /** The process, running. */
  async child() {
    if (!this.#child || this.#child.dead) this.#child = new Child(this.#command ?? [binary(), 'session', '-q'])
    const child = this.#child
    child.hold(true)
    try {
      await child.ready
    } finally {
      if (child.waiting.size === 0) child.hold(false)
    }
    return child
  }

  /** Asks one process. Rejected with GONE where that dies before it answers. */
  once(child, what, members, { timeout, signal, event } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (child.dead) return Promise.reject(GONE)
    const id = ++this.#number
    let timer
    let cancel
    return new Promise((resolve, reject) => {
      child.waiting.set(id, { resolve, reject, event })
      child.hold(true)
      const request = { id, do: what, ...members }
      if (timeout !== undefined) {
        request.timeout_ms = Math.max(1, Math.ceil(timeout))
        timer = setTimeout(() => child.end(GONE), timeout + GRACE) // it does not even say that the time is over
      }
      cancel = () => this.#cancel(child, id, what, signal.reason)
      signal?.addEventListener('abort', cancel, { once: true })
      child.process.stdin.write(JSON.stringify(request) + '\n')
    }).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    })
  }

  /** Nobody waits for a request any more. A transaction that begins all the same is aborted. */
  #cancel(child, id, what, reason) {
    const wait = child.waiting.get(id)
    if (!wait) return
    const abort = begun => {
      if (what === 'begin') this.once(child, 'abort', { tx: begun.tx }).catch(() => {}) // it has ended then
    }
    child.waiting.set(id, { resolve: abort, reject: () => {} })
    this.once(child, 'cancel', { cancel: id }).catch(() => {}) // as above
    wait.reject(reason)
  }

  /** Asks for what may be asked again: it changes nothing. */
  ask(what, members, options) {
    return this.#attempts(async child => ({ answer: await this.once(child, what, members, options) }))
  }

  /** Changes files as one transaction, once: where the answer is lost, it is asked for. */
  change(changes, members, options) {
    const request = randomUUID()
    const files = [...new Set(changes.map(c => c.file))]
    return this.#attempts(async child => ({ answer: await this.once(child, 'change', { changes, request, ...members }, options) }),
      async () => this.outcome(request, files))
  }

  /** What became of a request whose answer was lost; undefined where it is not committed. */
  async outcome(request, files) {
    const found = await this.ask('outcome', { request, files })
    return found.committed ? found.transaction : undefined
  }

  async #attempts(work, lost) {
    for (let n = 0; n < ATTEMPTS; n++) {
      try {
        return (await work(await this.child())).answer
      } catch (e) {
        if (e !== GONE) throw e
        const answer = await lost?.()
        if (answer) return answer
      }
    }
    throw new Lost(`jtx died ${ATTEMPTS} times over one request; nothing was changed`, { retryable: true })
  }

  /** Begins a transaction over files. */
  async begin(files, { message = '', ttl, ...options } = {}) {
    const request = randomUUID()
    const members = { files, message, request, ...(ttl !== undefined && { ttl_ms: Math.max(1, Math.ceil(ttl)) }) }
    return this.#attempts(async child => {
      const { tx, files: states } = await this.once(child, 'begin', members, options)
      return { answer: { child, tx, request, states } }
    })
  }

  /** Commits what begin has begun, with changes. */
  async commit({ child, tx, request }, changes, files) {
    try {
      return await this.once(child, 'commit', { tx, ...(changes.length > 0 && { changes }) })
    } catch (e) {
      if (e !== GONE) throw e
      const answer = await this.outcome(request, files)
      if (answer) return answer
      throw new Lost('jtx died; nothing was changed', { retryable: true })
    }
  }

  /** What belongs to a transaction, which ends with its process. */
  async within({ child, tx }, what, members) {
    try {
      return await this.once(child, what, { tx, ...members })
    } catch (e) {
      throw e === GONE ? new Lost('jtx died; nothing was changed', { retryable: true }) : e
    }
  }

  /** Kills the process, as a test of what follows. */
  kill() { this.#child?.process.kill('SIGKILL') }

  close() { this.#child?.process.stdin.end() }
}

export { JtxError }
