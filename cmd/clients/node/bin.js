#!/usr/bin/env node
// Runs the jtx of this platform's package, as if it had been called itself.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { binary } from './binary.js'

let file
try {
  file = binary()
} catch (e) {
  console.error(`error: ${e.message}`)
  process.exit(2)
}
const child = spawn(file, process.argv.slice(2), { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', e => {
  console.error(`error: ${file}: ${e.message}`)
  process.exit(126)
})
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
