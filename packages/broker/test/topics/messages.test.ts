/** Reading a topic without a client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddPartitionsToTxn, BatchWriter, EndTxn, InitProducerId, Produce, codecByName } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

test('messages are the committed ones of all partitions, with all their fields', async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 2 })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const values = (): (string | undefined)[] => cluster.messages('t').map(({ value }) => value?.toString())
  let sequence = 0
  let producer = { producerId: -1n, producerEpoch: -1 }
  const write = async (value: string, isTransactional: boolean): Promise<void> => {
    const writer = new BatchWriter()
    writer.append('key', value, { h: 'x' }, 1000)
    const stamp = isTransactional ? { ...producer, baseSequence: sequence++, isTransactional } : {}
    const records = Buffer.from(writer.seal({ ...stamp, codec: codecByName('gzip') }))
    const partitionData = [{ index: 0, records }]
    const transactionalId = isTransactional ? 'tx' : null
    const topicData = [{ name: 't', partitionData }]
    const body = { transactionalId, acks: -1, timeoutMs: 1000, topicData }
    const { responses } = await client.ask(Produce, 9, body)
    assert.equal(responses[0]?.partitionResponses[0]?.errorCode, 0)
  }
  const transaction = async (value: string, committed: boolean | null): Promise<void> => {
    const partitions = { transactionalId: 'tx', ...producer, topics: [{ name: 't', partitions: [0] }] }
    // Versions up to 3 have a single transaction instead of a list.
    await client.ask(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: partitions.producerId,
      v3AndBelowProducerEpoch: partitions.producerEpoch,
      v3AndBelowTopics: partitions.topics,
    })
    await write(value, true)
    if (committed !== null) await client.ask(EndTxn, 3, { transactionalId: 'tx', ...producer, committed })
  }
  assert.deepEqual(cluster.messages('missing'), [])
  await write('plain', false)
  producer = await client.ask(InitProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs: 10_000 })
  await transaction('aborted', false)
  await transaction('committed', true)
  await transaction('open', null)
  assert.deepEqual(values(), ['plain', 'committed'])
  await client.ask(EndTxn, 3, { transactionalId: 'tx', ...producer, committed: true })
  assert.deepEqual(values(), ['plain', 'committed', 'open'])
  const [first] = cluster.messages('t')
  assert.deepEqual(
    { ...first, key: String(first?.key), headers: first?.headers.map(({ key, value }) => [key, String(value)]) },
    {
      topic: 't',
      partition: 0,
      offset: 0,
      timestamp: 1000,
      key: 'key',
      value: Buffer.from('plain'),
      headers: [['h', 'x']],
    },
  )
  client.close()
})
