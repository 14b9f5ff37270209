import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, Producer, type Serializer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'

/** Says in a header how it was written. */
const marking =
  (isSlow: boolean): Serializer<string> =>
  (data, { field, headers }) => {
    const mark = (): string => {
      headers.push({ key: field, value: Buffer.from(`${field} of ${data}`) })
      return data
    }
    return isSlow ? Promise.resolve().then(mark) : mark()
  }

for (const isSlow of [false, true]) {
  test(`headers that ${isSlow ? 'asynchronous ' : ''}serializers add are sent, behind the message's own`, async () => {
    await using cluster = await EmbeddedCluster.start()
    await using producer = new Producer<string, string>(
      { 'bootstrap.servers': cluster.bootstrapServers },
      { key: marking(isSlow), value: marking(isSlow) },
    )
    const own = [{ key: 'own', value: 'x' }]
    const send = producer.send({ topic: 'marked', key: 'k', value: 'v', headers: own })
    if (!isSlow) producer.produce({ topic: 'marked', key: 'k', value: 'v', headers: { own: 'x' } })
    await Promise.all([send, producer.sendBatch([{ topic: 'marked', key: 'k', value: 'v', headers: own }])])
    await producer.flush()
    // What the application passed is its own.
    assert.deepEqual(own, [{ key: 'own', value: 'x' }])
    await using consumer = new Consumer({
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': 'g',
      'auto.offset.reset': 'earliest',
    })
    consumer.subscribe('marked')
    for (let i = 0; i < (isSlow ? 2 : 3); i++) {
      const message = await consumer.readMessage(10_000)
      const headers = message.headers.map(({ key, value }) => [key, value?.toString()])
      assert.deepEqual(headers.slice().sort(), [
        ['key', 'key of k'],
        ['own', 'x'],
        ['value', 'value of v'],
      ])
      assert.equal(headers[0]?.[0], 'own')
    }
  })
}
