/**
 * How a cluster responds to invalid requests of transactional producers: all error codes of each response, in order.
 * The expected ones are those of Kafka 4.3.1.
 */
import { after, before, test } from 'node:test'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  CreateTopics,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  FindCoordinator,
  InitProducerId,
  ListTransactions,
  TxnOffsetCommit,
  type Api,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { codesOf, patiently, same } from './answers.ts'
import { fresh } from './world.ts'

interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

const TRANSACTION = 1

/** @param start a cluster of one broker without ACLs that creates topics automatically */
export function transactionsWrongInputScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let client: WireClient
  const topic = fresh('wrong-transactions')
  const id = fresh('id')
  const nobody = fresh('nobody')
  let producer: Producer

  const codes = async <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<number[]> =>
    codesOf(await client.ask(api, version, body))
  const init = (transactionalId: string | null, transactionTimeoutMs = 60_000, known?: Producer): Promise<number[]> =>
    codes(InitProducerId, 4, { transactionalId, transactionTimeoutMs, ...known })
  /** By partition. */
  const added = async (
    transactionalId: string,
    { producerId, producerEpoch }: Producer,
    partitions: readonly number[],
    name = topic,
  ): Promise<number[]> => {
    const { resultsByTopicV3AndBelow: topics } = await client.ask(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name, partitions: [...partitions] }],
    })
    return topics
      .flatMap(({ resultsByPartition }) => resultsByPartition)
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ partitionErrorCode }) => partitionErrorCode)
  }
  const end = (transactionalId: string, who: Producer, version = 3): Promise<number[]> =>
    codes(EndTxn, version, { transactionalId, ...who, committed: true })
  const offsets = (transactionalId: string, who: Producer, more: object = {}, partition = 0): Promise<number[]> => {
    const partitions = [{ partitionIndex: partition, committedOffset: 1, committedMetadata: null }]
    const topics = [{ name: topic, partitions }]
    return codes(TxnOffsetCommit, 3, { transactionalId, groupId: fresh('g'), ...who, topics, ...more })
  }

  before(async () => {
    world = await start()
    client = await WireClient.connect(world.bootstrapServers)
    const topics = [{ name: topic, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
    same(await codes(CreateTopics, 7, { topics, timeoutMs: 10_000 }), [0])
    for (const [keyType, key] of [
      [TRANSACTION, id],
      [0, 'g'],
    ] as const) {
      await patiently('there is no coordinator', async () => {
        const found = await client.ask(FindCoordinator, 3, { key, keyType })
        return found.errorCode === 0
      })
    }
    await patiently('the coordinator is not there', async () => {
      const answer = await client.ask(InitProducerId, 4, { transactionalId: id, transactionTimeoutMs: 60_000 })
      producer = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
      return answer.errorCode === 0
    })
  })
  after(async () => {
    client.close()
    await world.close()
  })

  test('producers that cannot begin', async () => {
    same(await init(''), [42])
    for (const timeoutMs of [0, -5, 2_000_000_000]) same(await init(fresh('nobody'), timeoutMs), [50])
    same(await init(null, 0), [0])
    // Half an identity, and another producer's.
    same(await init(id, 60_000, { ...producer, producerEpoch: -1 }), [42])
    same(await init(id, 60_000, { producerId: -1n, producerEpoch: 3 }), [42])
    same(await init(id, 60_000, { producerId: 987_654n, producerEpoch: 0 }), [90])
    same(await init(fresh('nobody'), 60_000, { producerId: 987_654n, producerEpoch: 0 }), [0])
  })

  test('partitions that cannot take part', async () => {
    const { producerId, producerEpoch } = producer
    same(await added(nobody, producer, [0]), [49])
    same(await added('', producer, [0]), [42])
    same(await added(id, { ...producer, producerId: producerId + 1000n }, [0]), [49])
    for (const epoch of [producerEpoch + 1, -1]) same(await added(id, { producerId, producerEpoch: epoch }, [0]), [90])
    same(await added(id, producer, [0, 9]), [55, 3])
    same(await added(id, producer, [0], 'no such topic!'), [3])
    same(await added(id, producer, []), [])
  })

  test('offsets that cannot take part', async () => {
    const add = (transactionalId: string, who: Producer, groupId: string): Promise<number[]> =>
      codes(AddOffsetsToTxn, 3, { transactionalId, ...who, groupId })
    same(await add(nobody, producer, 'g'), [49])
    same(await add('', producer, 'g'), [42])
    same(await add(id, { ...producer, producerEpoch: producer.producerEpoch + 1 }, 'g'), [90])
    same(await add(id, { ...producer, producerId: 5n }, 'g'), [49])
    // The group was not added.
    for (const more of [{}, { generationId: 5, memberId: 'm' }, { memberId: 'm' }, { groupInstanceId: 'i' }]) {
      same(await offsets(id, producer, more), [48])
    }
    same(await offsets(id, producer, { groupId: '' }), [24])
    same(await offsets(id, producer, {}, 9), [3])
  })

  test('invalid ends of transactions', async () => {
    same(await end(nobody, producer), [49])
    same(await end(nobody, producer, 5), [49])
    same(await end('', producer), [42])
    for (const version of [3, 5]) {
      same(await end(id, { ...producer, producerEpoch: producer.producerEpoch + 1 }, version), [90])
    }
    same(await end(id, { ...producer, producerId: 5n }), [49])
  })

  test('transactions and producers that cannot be described', async () => {
    const described = (name: string, ...partitionIndexes: number[]): Promise<number[]> =>
      codes(DescribeProducers, 0, { topics: [{ name, partitionIndexes }] })
    same(await codes(DescribeTransactions, 0, { transactionalIds: [nobody, '', id] }), [105, 42, 0])
    same(await described(topic, 0, 9), [0, 3])
    same(await described(fresh('missing'), 0), [3])
    same(await described('no such topic!', 0), [17])
    const filters = { stateFilters: ['Nonsense', 'Ongoing'], producerIdFilters: [], durationFilter: -1 }
    const listed = await client.ask(ListTransactions, 1, filters)
    same([listed.errorCode, listed.unknownStateFilters], [0, ['Nonsense']])
  })
}
