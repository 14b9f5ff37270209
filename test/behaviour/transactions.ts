/** Responses to producers, request by request. The expected ones are those of Kafka 4.3.1. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BatchWriter, ErrorCode, codecByName } from '@ottla/protocol'
import { Conversation, type Id, type Outcome } from './conversation.ts'
import { fresh } from './world.ts'

const NOTHING = { errorCode: 0, producerId: -1n, producerEpoch: -1 }

function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

function refused(errorCode: number): Outcome {
  return { ...NOTHING, errorCode }
}

function idOf({ producerId, producerEpoch }: Outcome): Id {
  return { producerId, producerEpoch }
}

/** Error code and epoch. */
async function short(outcome: Promise<Outcome>): Promise<[number, number]> {
  const { errorCode, producerEpoch } = await outcome
  return [errorCode, producerEpoch]
}

/** One batch of one record, encoded. */
function single(timestamp: number, seal: Parameters<BatchWriter['seal']>[0] = {}): Buffer {
  const writer = new BatchWriter()
  writer.append('k', 'v'.repeat(100), null, timestamp)
  return Buffer.from(writer.seal(seal))
}

/** @param start a cluster of one broker that creates topics */
export function transactionScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let c: Conversation
  before(async () => {
    world = await start()
    c = await Conversation.begin(world.bootstrapServers)
    await codecByName('zstd').ready()
  })
  after(async () => {
    c.end()
    await world.close()
  })

  test('sequence numbers: gaps, repeats, epochs and wraparound', async () => {
    const { producerId } = await c.init(null)
    const put = (baseSequence: number, producerEpoch = 0, partition = 0): Promise<string> =>
      c.produce(partition, { producerId, producerEpoch, baseSequence })
    same(await put(5), 'at 0')
    same(await put(7), 'at 2')
    same(await put(5), 'at 0')
    same(await put(70), 'error 45')
    same(await put(3, 1), 'error 45')
    same(await put(0, 1), 'at 4')
    same(await put(9), 'error 47')
    same(await put(-1, 1), 'error 87')
    same(await put(2 ** 31 - 1, 0, 1), 'at 0')
    same(await put(1, 0, 1), 'at 2')
  })

  test('invalid batches, and one too many', async () => {
    const now = Date.now()
    const one = single(now)
    const put = (bytes: Buffer, version = 12): Promise<string> => c.produce(2, {}, { bytes, version })
    same(await put(Buffer.concat([one, one])), 'error 87')
    same(await put(Buffer.from('garbage')), 'error 87')
    same(await put(Buffer.alloc(100, 7)), 'error 2')
    same(await put(Buffer.concat([one, one.subarray(0, 40)])), 'at 0')
    const corrupt = Buffer.from(one)
    corrupt.writeUInt8(corrupt.readUInt8(100) ^ 1, 100)
    same(await put(corrupt), 'error 2')
    const elsewhere = Buffer.from(one)
    elsewhere.writeInt32BE(5, 4)
    same(await put(elsewhere), 'error 87')
    same(await put(single(now, { codec: codecByName('zstd') }), 6), 'error 76')
    same(await put(single(now + 7_200_000)), 'error 32')
    const id = { producerId: 1n, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    same(await put(single(now, id)), 'error 53')
  })

  test('a transaction of version 1 from its beginning to its end', async () => {
    const id = await c.id()
    same(await c.init(id, undefined, 5, 900_001), refused(ErrorCode.ERR_INVALID_TRANSACTION_TIMEOUT))
    same(await c.init(id, undefined, 5, 0), refused(ErrorCode.ERR_INVALID_TRANSACTION_TIMEOUT))
    same(await c.init(''), refused(ErrorCode.ERR_INVALID_REQUEST))
    same(await c.init(id, { producerId: 5n, producerEpoch: -1 }), refused(ErrorCode.ERR_INVALID_REQUEST))
    const begun = await c.init(id)
    const a = idOf(begun)
    same([begun.errorCode, a.producerEpoch], [0, 0])
    same(await c.describe(id), { state: 'Empty', epoch: 0, partitions: [] })
    same(await c.list(['Empty', 'Nope'], id), { unknown: ['Nope'], states: ['Empty'] })
    same(await short(c.finish(id, a, true, 4)), [48, -1])
    same(await short(c.finish(id, a, false, 4)), [48, -1])
    const put = (baseSequence: number, version = 11, isTransactional = true): Promise<string> =>
      c.produce(4, { ...a, baseSequence, isTransactional }, isTransactional ? { id, version } : { version })
    same(await put(0), 'error 120')
    same(await put(0, 9), 'error 48')
    same(await c.add(id, a, [4, 5]), [0, 0])
    same(await c.add(id, a, [4, 99]), [55, 3])
    same(await c.add(id, { ...a, producerId: a.producerId + 1000n }, [4]), [49])
    same(await c.add(id, { ...a, producerEpoch: 7 }, [4]), [90])
    same(await c.add(id, { ...a, producerEpoch: 7 }, [4], 1), [47])
    same(await c.add('never', a, [4]), [49])
    same(await put(0), 'at 0')
    same(await put(2, 11, false), 'error 48')
    same(await c.produce(4, {}), 'at 2')
    same(await c.describe(id), { state: 'Ongoing', epoch: 0, partitions: [4, 5] })
    same(await c.producers(4), [{ producerEpoch: 0, lastSequence: 1, currentTxnStartOffset: 0 }])
    const read = { errorCode: 0, highWatermark: 4, lastStableOffset: 0 }
    const batches = ['0-1 transactional epoch 0', '2-3 plain epoch -1']
    same(await c.fetch(4, 0), { ...read, aborted: null, batches })
    same(await c.fetch(4, 1), { ...read, aborted: [], batches: [] })
    const latest = [await c.listOffset(4, -1), await c.listOffset(4, -1, 1)]
    const byTime = [await c.listOffset(4, 1), await c.listOffset(4, 1, 1)]
    same([...latest, ...byTime], [[0, 4, 0], [0, 0, 0], [0, 0, 0], [0, -1, -1]]) // prettier-ignore
    same(await short(c.finish(id, a, true, 4)), [0, -1])
    same(await c.describe(id), { state: 'CompleteCommit', epoch: 0, partitions: [] })
    same(await short(c.finish(id, a, true, 4)), [0, -1])
    same(await short(c.finish(id, a, false, 4)), [48, -1])
    batches.push('4-4 commit epoch 0')
    same(await c.fetch(4, 1), { errorCode: 0, highWatermark: 5, lastStableOffset: 5, aborted: [], batches })
    same(await c.add(id, a, [4]), [0])
    same(await put(2), 'at 5')
    same(await short(c.finish(id, a, false, 4)), [0, -1])
    same(await c.describe(id), { state: 'CompleteAbort', epoch: 0, partitions: [] })
    batches.push('5-6 transactional epoch 0', '7-7 abort epoch 0')
    const end = { errorCode: 0, highWatermark: 8, lastStableOffset: 8 }
    same(await c.fetch(4, 1), { ...end, aborted: [5], batches })
    same(await c.fetch(4, 0), { ...end, aborted: null, batches })
    same(await c.fetch(4, 1, 7), { ...end, aborted: [5], batches: ['7-7 abort epoch 0'] })
  })

  test('a new instance fences the old one', async () => {
    const id = await c.id()
    const begun = await c.init(id)
    const a = idOf(begun)
    await c.add(id, a, [8])
    same(await c.produce(8, { ...a, baseSequence: 0, isTransactional: true }, { id, version: 11 }), 'at 0')
    same(await c.init(id), refused(ErrorCode.ERR_CONCURRENT_TRANSACTIONS))
    const b = await c.settled(id)
    same([b.errorCode, b.producerId === a.producerId, b.producerEpoch], [0, true, 2])
    same(await c.describe(id), { state: 'Empty', epoch: 2, partitions: [] })
    same(await short(c.finish(id, a, true, 4)), [90, -1])
    same(await short(c.finish(id, a, true, 1)), [47, -1])
    same(await c.produce(8, { ...a, baseSequence: 2, isTransactional: true }, { id, version: 11 }), 'error 47')
    const batches = ['0-1 transactional epoch 0', '2-2 abort epoch 1']
    same(await c.fetch(8, 1), { errorCode: 0, highWatermark: 3, lastStableOffset: 3, aborted: [0], batches })
    same(await c.init(id, a), refused(ErrorCode.ERR_PRODUCER_FENCED))
    same(await c.init(id, a, 3), refused(ErrorCode.ERR_INVALID_PRODUCER_EPOCH))
    same(await short(c.init(id, idOf(b))), [0, 3])
    same(await short(c.init(id, idOf(b))), [0, 3])
  })

  test('transactions of version 2 end with an epoch each', async () => {
    const id = await c.id()
    const first = idOf(await c.init(id))
    same(await short(c.finish(id, first, false)), [0, 1])
    same(await c.describe(id), { state: 'CompleteAbort', epoch: 1, partitions: [] })
    const a = idOf(await c.settled(id))
    same(a.producerEpoch, 2)
    same(await short(c.finish(id, a, true)), [48, -1])
    const put = (partition: number, by: Id, baseSequence: number): Promise<string> =>
      c.produce(partition, { ...by, baseSequence, isTransactional: true }, { id })
    same(await put(6, a, 0), 'at 0')
    same(await put(6, a, 2), 'at 2')
    same(await put(7, a, 4), 'error 45')
    same(await c.describe(id), { state: 'Ongoing', epoch: 2, partitions: [6, 7] })
    const b = await c.finish(id, a, true)
    same(b, { errorCode: 0, producerId: a.producerId, producerEpoch: 3 })
    same(await c.describe(id), { state: 'CompleteCommit', epoch: 3, partitions: [] })
    same(await short(c.finish(id, a, true)), [0, 3])
    same(await short(c.finish(id, a, false)), [48, -1])
    same(await short(c.finish(id, idOf(b), true)), [48, -1])
    same(await put(6, a, 4), 'error 47')
    same(await put(6, idOf(b), 0), 'at 5')
    const d = await c.finish(id, idOf(b), false)
    same(d, { errorCode: 0, producerId: a.producerId, producerEpoch: 4 })
    same(await c.describe(id), { state: 'CompleteAbort', epoch: 4, partitions: [] })
    same(await short(c.finish(id, idOf(b), true)), [48, -1])
    same(await short(c.finish(id, idOf(d), false)), [0, 5])
    const batches = ['0-1 transactional epoch 2', '2-3 transactional epoch 2', '4-4 commit epoch 3']
    batches.push('5-6 transactional epoch 3', '7-7 abort epoch 4')
    same(await c.fetch(6, 1), { errorCode: 0, highWatermark: 8, lastStableOffset: 8, aborted: [5], batches })
    same(await c.producers(6), [{ producerEpoch: 4, lastSequence: -1, currentTxnStartOffset: -1 }])
  })

  test('a transaction that times out is aborted', async () => {
    const id = await c.id()
    const a = idOf(await c.init(id, undefined, 5, 100))
    same(await c.produce(3, { ...a, baseSequence: 0, isTransactional: true }, { id }), 'at 0')
    await c.until(async () => (await c.describe(id)).state === 'CompleteAbort')
    same(await c.describe(id), { state: 'CompleteAbort', epoch: 1, partitions: [] })
    same(await short(c.finish(id, a, true)), [48, -1])
    same(await short(c.finish(id, a, false)), [0, 1])
    same(await c.produce(3, { ...a, baseSequence: 2, isTransactional: true }, { id }), 'error 47')
    same(await short(c.settled(id, a)), [0, 1])
  })

  test('offsets take effect when their transaction commits', async () => {
    const group = fresh('txn-group')
    await c.groupReady(group)
    const id = await c.id()
    const a = idOf(await c.init(id))
    const both = async (): Promise<unknown> => [await c.committed(group, false), await c.committed(group, true)]
    same(await c.commitOffset(id, a, group, 3), 48)
    same(await c.commitOffset(id, a, group, 3, { version: 4 }), 120)
    same(await c.addOffsets(id, a, group), 0)
    same(await c.commitOffset(id, a, group, 3), 0)
    same(await c.commitOffset(id, a, group, 3, { generationId: 4, memberId: 'm' }), 25)
    same(await c.commitOffset(id, { ...a, producerEpoch: 9 }, group, 3), 47)
    same(await both(), [[0, -1], [88, -1]]) // prettier-ignore
    same(await short(c.finish(id, a, true, 4)), [0, -1])
    await c.until(async () => (await c.committedCode(group)) === 0)
    same(await both(), [[0, 3], [0, 3]]) // prettier-ignore
    same(await c.addOffsets(id, a, group), 0)
    same(await c.commitOffset(id, a, group, 9), 0)
    same(await short(c.finish(id, a, false, 4)), [0, -1])
    await c.until(async () => (await c.committedCode(group)) === 0)
    same(await both(), [[0, 3], [0, 3]]) // prettier-ignore
    same(await c.commitOffset(id, a, group, 12, { version: 5 }), 0)
    same((await c.describe(id)).state, 'Ongoing')
    same(await short(c.finish(id, a, true)), [0, 1])
    await c.until(async () => (await c.committedCode(group)) === 0)
    same(await c.committed(group, true), [0, 12])
  })

  test('epochs of the log, and special offsets', async () => {
    const end = await c.endOfLog(4)
    same(await c.endOfEpoch(4, 0), [0, 0, end])
    same(await c.endOfEpoch(4, 1), [0, -1, -1])
    same(await c.endOfEpoch(4, -1), [0, -1, -1])
    same(await c.endOfEpoch(4, 0, 3), [75, -1, -1])
    same(await c.fetchEpoch(4, 0, 0), [0, end, true])
    same(await c.fetchEpoch(4, 0, 5), [1, -1, false])
    same(await c.fetchEpoch(4, 0, -1, 7), [75, -1, false])
    same(await c.fetchEpoch(4, end + 1, -1), [1, -1, false])
    same(await c.listOffset(4, -2), [0, 0, 0])
    same(await c.listOffset(4, -4), [0, 0, 0])
    same(await c.listOffset(4, -5), [0, -1, -1])
    same(await c.listOffset(4, -6, 0, 11), [0, -1, -1])
    same(await c.listOffset(4, -7), [35, -1, -1])
    same(await c.listOffset(4, -3, 0, 6), [35, -1, -1])
    same(await c.listOffset(4, -5, 0, 8), [35, -1, -1])
    same(await c.listOffset(4, Date.now() + 1e6), [0, -1, -1])
  })

  test('fetch sessions remember what is fetched', async () => {
    const first = await c.fetchSession(0, 0, [2, 4])
    const { sessionId } = first
    const ask = async (epoch: number, partitions: number[] = [], forgotten: number[] = []): Promise<unknown> => {
      const answer = await c.fetchSession(sessionId, epoch, partitions, forgotten)
      return [answer.errorCode, answer.sessionId === sessionId, answer.partitions]
    }
    same([first.errorCode, sessionId > 0, first.partitions], [0, true, ['2: 0 true', '4: 0 true']])
    same(await ask(1), [0, true, ['2: 0 true', '4: 0 true']])
    same(await ask(1), [71, false, []])
    same(await ask(2, [], [4]), [0, true, ['2: 0 true']])
    same(await ask(3, [1, 99]), [0, true, ['1: 0 true', '2: 0 true', '99: 3 false']])
    same(await ask(4), [0, true, ['1: 0 true', '2: 0 true', '99: 3 false']])
    same(await ask(5, [], [1, 2, 99]), [0, false, []])
    same(await ask(6), [70, false, []])
    const second = await c.fetchSession(0, 0, [4])
    same((await c.fetchSession(second.sessionId, -1, [])).sessionId, 0)
    same((await c.fetchSession(second.sessionId, 1, [])).errorCode, 70)
  })
}
