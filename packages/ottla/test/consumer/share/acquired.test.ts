import { test } from 'node:test'
import assert from 'node:assert/strict'
import { BatchWriter } from '@ottla/protocol'
import {
  AUTO_RELEASE,
  PendingAcknowledgements,
  acknowledgeTypes,
} from '../../../src/consumer/share/acknowledgements.ts'
import {
  acquiredMessages,
  readableBatches,
  releasesOf,
  takeOutdated,
  type AcquiredRange,
} from '../../../src/consumer/share/acquired.ts'

const { gap } = acknowledgeTypes
const source = {
  topic: 't',
  topicId: 'id',
  partition: 0,
  name: 't [0]',
  node: 1,
  pending: new PendingAcknowledgements(),
  held: 0,
  isLost: false,
}

function batch(baseOffset: number, values: readonly string[]): Buffer {
  const writer = new BatchWriter()
  for (const value of values) writer.append(null, value, null, 1000)
  const bytes = Buffer.from(writer.seal({}))
  // The offset stands in front of what the checksum is of.
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  return bytes
}

const limits = { checkCrcs: true, maxBatchBytes: 1e6 }

async function read(bytes: Buffer, ...ranges: AcquiredRange[]): ReturnType<typeof acquired> {
  return acquired(await readableBatches(bytes, null, limits), ranges)
}

async function acquired(
  readable: Awaited<ReturnType<typeof readableBatches>>,
  ranges: readonly AcquiredRange[],
): Promise<{ given: string[]; others: [number, number][]; isBroken: boolean }> {
  const lot = { since: 0, count: 0, waiting: 0 }
  const { messages, others, error } = acquiredMessages(readable, ranges, source, lot, 100, limits)
  await Promise.resolve()
  const given = messages.map(({ offset, value, deliveryCount }) => `${offset}:${String(value)} x${deliveryCount}`)
  return { given, others: [...others], isBroken: error !== null }
}

const range = (firstOffset: number, lastOffset: number, deliveryCount = 1): AcquiredRange => ({
  firstOffset,
  lastOffset,
  deliveryCount,
})

test('only acquired records are delivered, each with its delivery count', async () => {
  const bytes = Buffer.concat([batch(10, ['a', 'b', 'c']), batch(13, ['d', 'e'])])
  assert.deepEqual(await read(bytes, range(13, 13, 3), range(11, 12)), {
    given: ['11:b x1', '12:c x1', '13:d x3'],
    others: [],
    isBroken: false,
  })
})

test('offsets without a record are gaps', async () => {
  const bytes = Buffer.concat([batch(10, ['a']), batch(13, ['d'])])
  assert.deepEqual(await read(bytes, range(10, 14)), {
    given: ['10:a x1', '13:d x1'],
    others: [
      [11, gap],
      [12, gap],
      [14, gap],
    ],
    isBroken: false,
  })
})

test('what cannot be read is released, and the rest is delivered', async () => {
  const broken = batch(10, ['a', 'b'])
  broken.writeUInt8(broken.readUInt8(broken.length - 2) ^ 0xff, broken.length - 2)
  const { given, others, isBroken } = await read(Buffer.concat([broken, batch(12, ['c'])]), range(10, 12))
  assert.deepEqual([given, isBroken], [['12:c x1'], true])
  assert.deepEqual(others, [
    [10, AUTO_RELEASE],
    [11, AUTO_RELEASE],
  ])
  const garbage = await read(
    Buffer.from('no batches at all, whatever length it has, of any kind, and more of it'),
    range(1, 2),
  )
  assert.deepEqual([garbage.given, garbage.isBroken], [[], true])
  assert.deepEqual(garbage.others, [
    [1, AUTO_RELEASE],
    [2, AUTO_RELEASE],
  ])
})

test('a release of ranges names every offset of them', () => {
  assert.deepEqual(
    [...releasesOf([range(10, 11), range(13, 13, 3)])],
    [10, 11, 13].map(offset => [offset, AUTO_RELEASE]),
  )
})

test('what was said of a message before it was delivered again is outdated, and nothing else', () => {
  const pending = new PendingAcknowledgements()
  for (const offset of [9, 10, 11, 12]) pending.add(offset, acknowledgeTypes.accept)
  const types = takeOutdated({ ...source, pending }, [range(9, 9), range(10, 11, 2), range(20, 30, 5)])
  assert.deepEqual([...types.keys()], [10, 11])
  assert.deepEqual([...pending.take().keys()], [9, 12])
})
