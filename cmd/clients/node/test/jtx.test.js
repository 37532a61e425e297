import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Conflict, Locked, Lost, NotFound, read, session, transaction, update, UsageError, write } from '../index.js'

const increments = Number(process.env.JTX_INCREMENTS ?? 50)
const before = process.cwd()
let dir
beforeEach(() => process.chdir(dir = mkdtempSync(join(tmpdir(), 'jtx-'))))
afterEach(() => {
  process.chdir(before)
  rmSync(dir, { recursive: true })
})

test('no increment of 8 processes is lost or done twice, with children killed', async () => {
  await write('n.json', { n: 0 })
  const worker = fileURLToPath(new URL('worker.js', import.meta.url))
  const ends = Array.from({ length: 8 }, () => new Promise(resolve => {
    spawn(process.execPath, [worker, increments, 6], { stdio: 'inherit' }).on('exit', resolve)
  }))
  assert.deepEqual(await Promise.all(ends), Array(8).fill(0))
  assert.equal(await read('n.json', { pointer: '/n' }), 8 * increments)
})

test('a change whose answer is lost is made once', async () => {
  await write('list.json', [])
  for (let i = 0; i < 40; i++) {
    if (i % 5 === 0) setTimeout(() => session().kill(), Math.random() * 5)
    await transaction(['list.json'], tx => tx.patch('list.json', [{ op: 'add', path: '/-', value: i }])).catch(async e => {
      assert.ok(e instanceof Lost && e.retryable)
      i-- // nothing was changed
    })
  }
  assert.deepEqual(await read('list.json'), Array.from({ length: 40 }, (_, i) => i))
})

test('updates at once in one process', async () => {
  await write('n.json', { n: 0 })
  await Promise.all(Array.from({ length: 40 }, () => update('n.json', async d => ({ ...d, n: d.n + 1 }))))
  assert.equal((await read('n.json')).n, 40)
})

test('read, write, update', async () => {
  await assert.rejects(read('a.json'), NotFound)
  assert.equal(await read('a.json', { default: 7 }), 7)
  await write('a.json', { n: 1, é: [1, 2] }, { indent: 2 })
  assert.equal(readFileSync('a.json', 'utf8'), JSON.stringify({ n: 1, é: [1, 2] }, null, 2) + '\n')
  assert.equal(await read('a.json', { pointer: '/é/1' }), 2)
  assert.equal((await update('a.json', d => { d.n = 2 })).n, 2)
  assert.equal(await read('a.json', { pointer: '/n', at: 1 }), 1)
  assert.deepEqual(await update('new.json', d => [...d, 1], { default: [] }), [1])
  await assert.rejects(update('nope.json', d => d), NotFound)
  await assert.rejects(write('a.json', undefined), UsageError)
  writeFileSync('b.json', '{\n\t"b": 1.0,   "a": [1,2]\n}\n')
  await update('b.json', d => { d.a[1] = 3 })
  assert.equal(readFileSync('b.json', 'utf8'), '{\n\t"b": 1.0,   "a": [1,3]\n}\n')
})

test('two files are a unit', async () => {
  await write('a.json', { n: 100 })
  await write('b.json', { n: 100 })
  await transaction(['a.json', 'b.json'], async tx => {
    tx.set('a.json', '/n', await tx.read('a.json', { pointer: '/n' }) - 30)
    tx.set('b.json', '/n', await tx.read('b.json', { pointer: '/n' }) + 30)
    assert.deepEqual(await tx.read('a.json'), { n: 70 })
    assert.deepEqual(await read('a.json'), { n: 100 })
  })
  assert.deepEqual([await read('a.json'), await read('b.json')], [{ n: 70 }, { n: 130 }])
  await assert.rejects(transaction(['a.json', 'b.json'], tx => {
    tx.write('a.json', 1)
    throw new RangeError('no')
  }), RangeError)
  assert.deepEqual(await read('a.json'), { n: 70 })
})

test('locks are waited for, given up, and end by themselves', async () => {
  await transaction(['a.json'], async () => {
    await assert.rejects(write('a.json', 1, { timeout: 50 }), Locked)
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort(new Error('given up')), 50)
    await assert.rejects(write('a.json', 1, { signal: giveUp.signal }), /given up/)
  })
  await write('a.json', 2)
  await assert.rejects(transaction(['a.json'], async tx => {
    await write('a.json', 3) // waits until the time is over
    tx.write('a.json', 4)
  }, { ttl: 1 }), Conflict)
  assert.equal(await read('a.json'), 3)
})

test('a wrapper does not run itself', () => {
  const bin = fileURLToPath(new URL('../bin.js', import.meta.url))
  symlinkSync(bin, 'jtx')
  const { status, stderr } = spawnSync(process.execPath, [bin, 'version'], { env: { PATH: dir }, encoding: 'utf8', timeout: 60_000 })
  assert.equal(status, 2)
  assert.match(stderr, /jtx is neither in \$JTX, nor in a package for .*, nor in PATH/)
})
