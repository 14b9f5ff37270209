import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { node, root } from './program.ts'

const bin = join(root, 'packages', 'cli', 'bin', 'ottla.js')
let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start()
})
after(() => cluster.close())

function start(...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [bin, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
}

test('the built command ends with the status that its help promises', async () => {
  assert.deepEqual(await node([bin, '--version']), { code: 0, out: '0.1.0\n', err: '' })
  assert.equal((await node([bin, 'meta'])).code, 2)
  assert.equal((await node([bin, 'meta', '-b', '127.0.0.1:1'])).code, 1)
  assert.equal((await node([bin, 'meta', '-b', cluster.bootstrapServers])).code, 0)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`the embedded cluster of the command stops cleanly on ${signal}`, async () => {
    const broker = start('broker', '--port', '0')
    const [line] = (await once(broker.stdout.setEncoding('utf8'), 'data')) as [string]
    assert.match(line, /^listening on 127\.0\.0\.1:\d+\n$/)
    const port = line.trim().split(':').at(-1) ?? ''
    assert.equal((await node([bin, 'meta', '-b', `127.0.0.1:${port}`])).code, 0)
    broker.kill(signal)
    assert.deepEqual(await once(broker, 'exit'), [0, null])
  })
}

test('a port that is taken is said so, with what to do', async () => {
  const port = cluster.bootstrapServers.split(':').at(-1) ?? ''
  const { code, err } = await node([bin, 'broker', '--port', port])
  assert.equal(code, 1)
  assert.match(err, /not free: choose others with --port/)
})

test('a reader that goes away ends the command without a complaint', async () => {
  const topic = 'pipe'
  const produced = await node([
    bin,
    'bench',
    'produce',
    '-b',
    cluster.bootstrapServers,
    '-t',
    topic,
    '--count',
    '20000',
  ])
  assert.equal(produced.code, 0, produced.err)
  const consume = start('consume', '-b', cluster.bootstrapServers, '-q', topic)
  await once(consume.stdout, 'data')
  consume.stdout.destroy()
  let err = ''
  consume.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(consume, 'close')) as [number | null]
  assert.deepEqual({ code, err }, { code: 0, err: '' })
})
