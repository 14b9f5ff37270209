import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  ShareConsumer,
  type ConsumerConfig,
  type ShareConsumerConfig,
  type ShareRunOptions,
} from '../../../src/index.ts'

const base: ShareConsumerConfig = { 'bootstrap.servers': '127.0.0.1:1', 'group.id': 'g' }
const quiet = (): void => undefined

function refusal(config: Partial<ShareConsumerConfig>): unknown {
  try {
    void new ShareConsumer(config as ShareConsumerConfig, { logger: quiet }).close()
    return null
  } catch (error) {
    return error
  }
}

test('a share consumer has a group', () => {
  assert.equal((refusal({ 'bootstrap.servers': '127.0.0.1:1' }) as { code: number }).code, ErrorCode.ERR__UNKNOWN_GROUP)
})

test('properties that mean nothing to a share group are refused, with what there is instead', () => {
  const unfit: Partial<ConsumerConfig>[] = [
    { 'auto.offset.reset': 'earliest' },
    { 'isolation.level': 'read_committed' },
    { 'session.timeout.ms': 6000 },
    { 'heartbeat.interval.ms': 3000 },
    { 'enable.auto.commit': true },
    { 'auto.commit.interval.ms': 100 },
    { 'enable.auto.offset.store': false },
    { 'group.instance.id': 'one' },
    { 'group.protocol': 'consumer' },
    { 'group.remote.assignor': 'uniform' },
    { 'partition.assignment.strategy': 'range' },
    { 'enable.partition.eof': true },
  ]
  for (const each of unfit) {
    const [name] = Object.keys(each)
    const error = refusal({ ...base, ...(each as object) }) as { code: number; message: string }
    assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
    assert.match(error.message, new RegExp(`^${name?.replaceAll('.', '\\.')} cannot be set for a share consumer: `))
  }
  assert.equal(refusal({ ...base, 'share.acknowledgement.mode': 'EXPLICIT', 'max.poll.records': 10 }), null)
  assert.match(String(refusal({ ...base, 'share.acknowledgement.mode': 'never' })), /implicit or explicit/)
})

test('run and acknowledge check what they are given', async () => {
  const consumer = new ShareConsumer(base, { logger: quiet })
  const code = ErrorCode.ERR__INVALID_ARG
  const handler = quiet
  for (const options of [{}, { handler, concurrency: 0 }, { handler, drainMs: -1 }, { handler, onError: 1 }]) {
    await assert.rejects(consumer.run(options as unknown as ShareRunOptions), { code })
  }
  assert.throws(() => consumer.acknowledge({} as never, 'accept'), { code })
  assert.throws(() => consumer.subscribe([]), { code })
  await consumer.close()
  assert.throws(() => consumer.subscribe('t'), { code: ErrorCode.ERR__STATE })
})
