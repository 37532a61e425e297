// Adds to a number, TIMES times, with jtx or with what people use instead: proper-lockfile and
// write-file-atomic, durable as jtx is. Usage: worker.mjs jtx|lockfile FILE TIMES
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

const addOne = document => { document.n++ }

const ways = {
  async jtx(file) {
    const jtx = await import('../node/index.js')
    return () => jtx.update(file, addOne)
  },
  async lockfile(file) {
    const { default: { lock } } = await import('proper-lockfile')
    const { default: writeFile } = await import('write-file-atomic')
    return async () => {
      const unlock = await lock(file, { retries: { forever: true, minTimeout: 5, maxTimeout: 50, randomize: true } })
      try {
        const document = JSON.parse(await readFile(file, 'utf8'))
        addOne(document)
        await writeFile(file, JSON.stringify(document, null, 2)) // which syncs the file
        const names = await open(dirname(file))
        await names.sync()
        await names.close()
      } finally {
        await unlock()
      }
    }
  },
}

const [way, file, times] = process.argv.slice(2)
const update = await ways[way](file)
await update() // what is made or started once is not measured
console.log('ready')
for await (const _ of createInterface({ input: process.stdin })) break
for (let i = 0; i < Number(times); i++) await update()
process.exit()
