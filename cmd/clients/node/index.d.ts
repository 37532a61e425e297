/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export interface Waiting {
  /** Milliseconds that the request may take, waits for locks included. */
  timeout?: number
  /** Gives the request up. */
  signal?: AbortSignal
}

export interface ReadOptions<T> extends Waiting {
  /** RFC 6901; the whole document by default. */
  pointer?: string
  /** An old version: a revision, -1 for the one before, a transaction, a time. */
  at?: string | number
  /** What is returned where there is nothing, instead of NotFound. */
  default?: T
}

export interface WriteOptions extends Waiting {
  /** As JSON.stringify's; without it what stays the same keeps its bytes. */
  indent?: number | string
  /** Recorded in the history. */
  message?: string
}

export interface TransactionOptions extends Waiting {
  message?: string
  /** Milliseconds that the files' locks are held at most. */
  ttl?: number
}

export function read<T = any>(file: string, options?: ReadOptions<T>): Promise<T>
export function write(file: string, data: unknown, options?: WriteOptions): Promise<void>
/** Replaces the document by what fn returns, or by its argument as fn left it. fn is called again
 * where another program has saved the file without asking, or jtx was killed. */
export function update<T = any>(file: string, fn: (value: T) => T | void | Promise<T | void>, options?: Waiting & { default?: T; message?: string }): Promise<T>
/** Commits what fn does to files as a whole; nothing of it where fn throws. */
export function transaction<R>(files: string[], fn: (tx: Transaction) => R | Promise<R>, options?: TransactionOptions): Promise<R>

export interface Transaction {
  read<T = any>(file: string, options?: { pointer?: string; default?: T }): Promise<T>
  write(file: string, data: unknown, options?: { indent?: number | string }): void
  set(file: string, pointer: string, value: unknown): void
  delete(file: string, ...pointers: string[]): void
  /** RFC 7386. */
  merge(file: string, patch: unknown): void
  /** RFC 6902. */
  patch(file: string, operations: object[]): void
}

export class JtxError extends Error {
  code: string
  file?: string
  pointer?: string
  hint?: string
  retryable: boolean
}
export class NotFound extends JtxError {}
export class UsageError extends JtxError {}
export class Conflict extends JtxError {}
export class Locked extends JtxError {}
export class Invalid extends JtxError {}
export class Damaged extends JtxError {}
export class IOFailure extends JtxError {}
export class InDoubt extends JtxError {}
export class Lost extends JtxError {}
export class NoBinary extends JtxError {}

/** The jtx that is run: $JTX, the one of this platform's package, or the one in PATH. */
export function binary(name?: string): string

/** The process behind all of the above. */
export class Session {
  constructor(command?: string[])
  close(): void
  kill(): void
}
export function session(): Session
