import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Listeners } from '../../src/listen/listeners.ts'

test('a listener that is being opened while all are closed is closed, too', async () => {
  const listeners = new Listeners('127.0.0.1', 0, socket => socket.destroy())
  const opening = listeners.open('b1:9092')
  await listeners.close()
  const { port } = await opening
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
  await assert.rejects(listeners.open('b2:9092'), /nothing listens in place of b2:9092 any more/)
})
