/** A codec of the application's that fails late: the consumer has been moved meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer, type RecordCodec } from 'ottla'
import { closing } from '../harness/closing.ts'

const WAIT_MS = 20_000
const quiet = { logger: (): void => undefined }

test('a batch that cannot be decompressed is no concern of a partition that was moved past it', async () => {
  const cluster = closing(await EmbeddedCluster.start())
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  const producer = closing(new Producer({ ...servers, 'compression.type': 'gzip' }, quiet))
  for (const value of ['first', 'second']) await producer.send({ topic: 't', value: value.repeat(100) })

  let begin = (): void => undefined
  const begun = new Promise<void>(resolve => (begin = resolve))
  let fail = (): void => undefined
  const failed = new Promise<void>(resolve => (fail = resolve))
  let calls = 0
  const codec: RecordCodec = {
    name: 'gzip',
    compress: records => gzipSync(records),
    async decompress(records) {
      if (++calls > 1) return gunzipSync(records)
      begin()
      await failed
      throw new Error('too late')
    },
  }
  const consumer = closing(new Consumer({ ...servers, 'group.id': 'g' }, { ...quiet, codecs: [codec] }))
  const errors: string[] = []
  consumer.on('error', ({ error }) => errors.push(error.message))
  await consumer.assign([{ topic: 't', partition: 0, offset: 0 }])
  await begun
  await consumer.seek([{ topic: 't', partition: 0, offset: 1 }])
  fail()
  const message = await consumer.readMessage(WAIT_MS)
  assert.equal(message.offset, 1)
  assert.deepEqual(errors, [])
})
