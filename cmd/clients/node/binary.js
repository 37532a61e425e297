// Where the jtx to run is.
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { NoBinary } from './errors.js'

const suffix = process.platform === 'win32' ? '.exe' : ''

/** The file of a program: in $JTX (for jtx), in the package of this platform, or in PATH. */
export function binary(name = 'jtx') {
  if (name === 'jtx' && process.env.JTX) return process.env.JTX
  const found = packaged(name) ?? inPath(name)
  if (found) return found
  throw new NoBinary(`${name} is neither in $JTX, nor in a package for ${process.platform}-${process.arch}, nor in PATH`,
    { hint: `go install github.com/jtx-project/jtx/cmd/${name}@latest` })
}

function packaged(name) {
  try {
    const of = createRequire(import.meta.url).resolve(`jtx-${process.platform}-${process.arch}/package.json`)
    return executable(join(dirname(of), 'bin', name + suffix))
  } catch {
    return undefined // there is no package for this platform here
  }
}

function inPath(name) {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const file = isAbsolute(dir) && executable(join(dir, name + suffix))
    if (file && !wraps(file)) return file
  }
  return undefined
}

/** Tells whether a file is a script such as bin.js, or that of the Python package: to run it would
 * come back here, again and again. */
function wraps(file) {
  const start = Buffer.alloc(1024)
  let fd
  try {
    fd = openSync(file)
    readSync(fd, start)
  } catch {
    return false // what can't be read can be a program
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return /^#!.*(node|python|pyenv)/s.test(start.toString('latin1'))
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK)
    return file
  } catch {
    return undefined
  }
}
