/**
 * How a cluster responds to invalid administrative requests: all error codes of each response, in order. The expected
 * ones are those of Kafka 4.3.1. Nothing in the cluster changes.
 */
import { after, before, test } from 'node:test'
import {
  AddRaftVoter,
  AlterClientQuotas,
  AlterConfigs,
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  ApiVersions,
  CreateTopics,
  DescribeClientQuotas,
  DescribeConfigs,
  DescribeLogDirs,
  DescribeQuorum,
  ElectLeaders,
  IncrementalAlterConfigs,
  ListConfigResources,
  ListPartitionReassignments,
  RemoveRaftVoter,
  UnregisterBroker,
  UpdateFeatures,
  ZERO_UUID,
  type Api,
  type Decoded,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { codesOf, patiently, same } from './answers.ts'
import { fresh } from './world.ts'

const DIRECTORY = 'AAAAAAAAAAAAAAAAAAAABw'
const BROKER = 4
const LOGGER = 8
const CLIENT_METRICS = 16
const [SET, DELETE, APPEND] = [0, 1, 2]

/** @param start a cluster of one broker without ACLs */
export function adminWrongInputScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let client: WireClient
  const topic = fresh('admin-wrong')
  let logDir: string

  const ask = <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> =>
    client.ask(api, version, body)
  const codes = async <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<number[]> =>
    codesOf(await ask(api, version, body))

  before(async () => {
    world = await start()
    client = await WireClient.connect(world.bootstrapServers)
    const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    same((await ask(CreateTopics, 7, { topics, timeoutMs: 10_000 })).topics[0]?.errorCode, 0)
    await patiently('the topic has no directory', async () => {
      const { results } = await ask(DescribeLogDirs, 4, { topics: [{ topic, partitions: [0] }] })
      logDir = results[0]?.logDir ?? ''
      return results[0]?.topics.length === 1
    })
  })
  after(async () => {
    client.close()
    await world.close()
  })

  test('invalid elections', async () => {
    const elect = (electionType: number, ...topicPartitions: [topic: string, partition: number][]): Promise<number[]> =>
      codes(ElectLeaders, 2, {
        electionType,
        topicPartitions: topicPartitions.map(([name, partition]) => ({ topic: name, partitions: [partition] })),
      })
    same(await elect(0, [topic, 0], [topic, 7], [topic, -1], ['not-there', 0], ['a/b', 0]), [0, 84, 3, 3, 3, 3])
    same(await elect(1, [topic, 0]), [0, 84])
    same(await elect(9, [topic, 0], ['not-there', 0]), [42, 42, 42])
    same(await elect(-1, [topic, 0]), [42, 42])
    same(await elect(0), [0])
    same(await elect(9), [0])
    same(await codes(ElectLeaders, 2, { electionType: 9, topicPartitions: null }), [42])
  })

  test('invalid moves', async () => {
    const move = (name: string, replicas: number[] | null, partitionIndex = 0): Promise<number[]> =>
      codes(AlterPartitionReassignments, 1, { topics: [{ name, partitions: [{ partitionIndex, replicas }] }] })
    same(await move(topic, [1, 1]), [0, 39])
    same(await move(topic, []), [0, 39])
    same(await move(topic, [99]), [0, 39])
    same(await move(topic, [-1]), [0, 39])
    same(await move(topic, null), [0, 85])
    same(await move(topic, [1], 7), [0, 3])
    same(await move('not-there', [1]), [0, 3])
    same(await move('not-there', null), [0, 3])
    same(await move('a/b', [1]), [0, 3])
    same(await move(topic, [1]), [0, 0])
    same(await codes(AlterPartitionReassignments, 1, { topics: [] }), [0])
    const topics = [{ name: 'not-there', partitionIndexes: [0] }, { name: topic, partitionIndexes: [0, 9] }] // prettier-ignore
    const { errorCode, topics: moving } = await ask(ListPartitionReassignments, 0, { topics })
    same([errorCode, moving], [0, []])
  })

  test('directories that do not exist', async () => {
    const move = (path: string, name: string, partition = 0): Promise<number[]> =>
      codes(AlterReplicaLogDirs, 2, { dirs: [{ path, topics: [{ name, partitions: [partition] }] }] })
    same(await move(logDir, topic), [0])
    same(await move(logDir, topic, 9), [3])
    same(await move(logDir, 'not-there'), [3])
    same(await move(logDir, 'a/b'), [3])
    same(await move(logDir, 'x'.repeat(249)), [17])
    for (const path of ['/nowhere', 'relative', '']) same(await move(path, topic), [57])
    const topics = [{ name: topic, partitions: [0] }]
    same(await codes(AlterReplicaLogDirs, 2, { dirs: ['/nowhere', logDir].map(path => ({ path, topics })) }), [0])
    same(await codes(AlterReplicaLogDirs, 2, { dirs: [] }), [])
    same(await codes(DescribeLogDirs, 4, { topics: [{ topic: 'not-there', partitions: [0] }] }), [0, 0])
  })

  test('invalid quotas', async () => {
    type Entity = readonly [type: string, name: string | null]
    type Quota = readonly [key: string, value: number | null]
    const entry = (entity: readonly Entity[], quotas: readonly Quota[]) => ({
      entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: quotas.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })
    const set = (entity: readonly Entity[], ...quotas: readonly Quota[]): Promise<number[]> =>
      codes(AlterClientQuotas, 1, { entries: [entry(entity, quotas)], validateOnly: true })
    const user: Entity[] = [['user', fresh('quota')]]
    same(await set(user, ['producer_byte_rate', 1024]), [0])
    same(await set(user, ['request_percentage', 1.5], ['controller_mutation_rate', 2.5]), [0])
    same(await set(user), [0])
    same(await set(user, ['nonsense', 1]), [42])
    same(await set(user, ['nonsense', null]), [0])
    same(await set(user, ['producer_byte_rate', 0]), [42])
    same(await set(user, ['producer_byte_rate', -1]), [42])
    same(await set(user, ['producer_byte_rate', 1.5]), [42])
    same(await set(user, ['producer_byte_rate', 1e20]), [42])
    same(await set(user, ['connection_creation_rate', 1]), [42])
    same(await set(user, ['producer_byte_rate', 1], ['producer_byte_rate', 2]), [42])
    same(await set([['user', '']], ['producer_byte_rate', 1]), [42])
    same(await set([['user', null]], ['producer_byte_rate', 1]), [0])
    same(await set([['client-id', null], ['user', 'x']], ['producer_byte_rate', 1]), [0]) // prettier-ignore
    same(await set([['client-id', 'a'], ['client-id', 'b']], ['producer_byte_rate', 1]), [0]) // prettier-ignore
    same(await set([['ip', '127.0.0.1']], ['connection_creation_rate', 1000]), [0])
    same(await set([['ip', '127.0.0.1']], ['producer_byte_rate', 10]), [42])
    same(await set([['ip', 'x y']], ['connection_creation_rate', 1]), [42])
    same(await set([['ip', '127.0.0.1'], ...user], ['connection_creation_rate', 10]), [42])
    same(await set([['nonsense', 'x']], ['producer_byte_rate', 10]), [42])
    same(await set([], ['producer_byte_rate', 10]), [42])
    const twice = [1, 2].map(value => entry(user, [['producer_byte_rate', value]]))
    same(await codes(AlterClientQuotas, 1, { entries: twice, validateOnly: true }), [42])
    same(await codes(AlterClientQuotas, 1, { entries: [], validateOnly: true }), [])
  })

  test('invalid filters of quotas', async () => {
    type Component = readonly [type: string, matchType: number, match?: string]
    const find = (...components: readonly Component[]): Promise<number[]> =>
      codes(DescribeClientQuotas, 1, {
        components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
        strict: true,
      })
    same(await find(), [0])
    same(await find(['user', 0, 'x']), [0])
    same(await find(['user', 2], ['client-id', 1]), [0])
    same(await find(['user', 0, 'x'], ['user', 1]), [42])
    same(await find(['nonsense', 2]), [35])
    same(await find(['', 2]), [42])
    same(await find(['user', 9]), [42])
    same(await find(['user', 0]), [42])
    same(await find(['user', 1, 'x']), [42])
    same(await find(['user', 2, 'x']), [42])
    same(await find(['ip', 2], ['user', 2]), [42])
  })

  test('invalid features', async () => {
    const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]
    type Update = readonly [feature: string, maxVersionLevel: number, upgradeType?: number]
    const update = (...updates: readonly Update[]): Promise<number[]> =>
      codes(UpdateFeatures, 2, {
        featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
          ...{ feature, maxVersionLevel, upgradeType },
        })),
        validateOnly: true,
      })
    same(await update(['metadata.version', 30]), [0])
    same(await update(['metadata.version', 30, SAFE]), [0])
    for (const level of [3000, 0, -1, 29, 31]) same(await update(['metadata.version', level]), [95])
    for (const type of [SAFE, UNSAFE]) same(await update(['metadata.version', 29, type]), [95])
    for (const type of [0, 9]) same(await update(['metadata.version', 30, type]), [95])
    same(await update(['nonsense', 1]), [95])
    same(await update(['nonsense', 0, SAFE]), [95])
    same(await update(['', 1]), [95])
    same(await update(), [0])
    same(await update(['share.version', 0, SAFE]), [0])
    same(await update(['share.version', 0, SAFE], ['nonsense', 1]), [95])
    same(await update(['group.version', 2]), [95])
    same(await update(['transaction.version', 1, SAFE]), [0])
    same(await update(['transaction.version', 3]), [95])
    same(await update(['eligible.leader.replicas.version', 1]), [0])
    same(await update(['kraft.version', 9]), [95])
    same(await update(['group.version', 1], ['group.version', 1]), [0])
    const featureUpdates = [{ feature: 'nonsense', maxVersionLevel: 1, upgradeType: UPGRADE }]
    same(await codes(UpdateFeatures, 1, { featureUpdates, validateOnly: true }), [95])
    const { supportedFeatures } = await ask(ApiVersions, 4, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const metadataVersion = supportedFeatures.find(({ name }) => name === 'metadata.version')
    same(metadataVersion, { name: 'metadata.version', minVersion: 7, maxVersion: 30 })
  })

  test('quorums, voters and brokers that do not exist', async () => {
    const quorum = (topicName: string, ...partitions: readonly number[]): Promise<number[]> =>
      codes(DescribeQuorum, 2, {
        topics: [{ topicName, partitions: partitions.map(partitionIndex => ({ partitionIndex })) }],
      })
    same(await quorum('__cluster_metadata', 0), [0, 0])
    same(await quorum('__cluster_metadata', 1), [0, 3])
    same(await quorum('__cluster_metadata', 0, 1), [0, 3, 3])
    same(await quorum('__cluster_metadata'), [0])
    same(await quorum(topic, 0), [0, 3])
    same(await codes(DescribeQuorum, 2, { topics: [] }), [0])
    interface Voter {
      readonly clusterId?: string | null
      readonly voterId?: number
      readonly voterDirectoryId?: string
      readonly listeners?: readonly { readonly name: string; readonly host: string; readonly port: number }[]
    }
    const voter = { clusterId: null, voterId: 77, voterDirectoryId: DIRECTORY }
    const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }]
    const add = (more: Voter): Promise<number[]> =>
      codes(AddRaftVoter, 0, { ...voter, timeoutMs: 1000, listeners, ...more })
    const remove = ({ clusterId = null, voterId = 77 }: Voter): Promise<number[]> =>
      codes(RemoveRaftVoter, 0, { ...voter, clusterId, voterId })
    same(await add({}), [35])
    same(await add({ voterId: 1 }), [35])
    same(await add({ clusterId: 'other' }), [104])
    same(await add({ voterId: -1 }), [42])
    same(await add({ voterDirectoryId: ZERO_UUID }), [42])
    same(await add({ listeners: [] }), [42])
    same(await remove({}), [35])
    same(await remove({ voterId: 1 }), [35])
    same(await remove({ clusterId: 'other' }), [104])
    same(await remove({ voterId: -1 }), [42])
    same(await codes(UnregisterBroker, 0, { brokerId: 77 }), [102])
    same(await codes(UnregisterBroker, 0, { brokerId: -1 }), [102])
  })

  test('resources that cannot be described or listed', async () => {
    const describe = async (resourceType: number, resourceName: string, ...keys: string[]): Promise<unknown> => {
      const resources = [{ resourceType, resourceName, configurationKeys: keys.length === 0 ? null : keys }]
      const { results } = await ask(DescribeConfigs, 4, { resources })
      return [results[0]?.errorCode, keys.length === 0 ? null : results[0]?.configs.length]
    }
    same(await describe(BROKER, '2'), [42, null])
    same(await describe(BROKER, '1', 'log.retention.ms', 'nonsense'), [0, 1])
    same(await describe(LOGGER, '2'), [42, null])
    same(await describe(LOGGER, ''), [42, null])
    same(await describe(LOGGER, 'x'), [42, null])
    same(await describe(LOGGER, '1', 'root', 'nonsense'), [0, 1])
    same(await describe(CLIENT_METRICS, ''), [42, null])
    same(await describe(CLIENT_METRICS, 'none', 'interval.ms', 'nonsense'), [0, 1])
    same(await describe(77, 'x'), [42, null])
    const list = (...resourceTypes: number[]): Promise<number[]> => codes(ListConfigResources, 1, { resourceTypes })
    same(await list(), [0])
    same(await list(2, 4, 8, 16, 32), [0])
    same(await list(0), [35])
    same(await list(2, 77), [35])
    same(await codes(ListConfigResources, 0, {}), [0])
    const { results } = await ask(DescribeConfigs, 4, {
      resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: [] }],
    })
    const kinds = new Map(results[0]?.configs.map(config => [config.name, config]))
    // The same settings of the same types, changed in the same way.
    same(kinds.size, 340)
    const kind = (name: string): unknown => [kinds.get(name)?.configType, kinds.get(name)?.readOnly]
    same(kind('log.cleaner.threads'), [3, false])
    same(kind('num.partitions'), [3, true])
    same(kind('log.cleanup.policy'), [7, false])
    same(kinds.get('ssl.key.password')?.isSensitive, true)
  })

  type Change = readonly [name: string, operation: number, value: string | null]
  const alter = (resourceType: number, resourceName: string, ...changes: readonly Change[]): Promise<number[]> => {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    return codes(IncrementalAlterConfigs, 1, {
      resources: [{ resourceType, resourceName, configs }],
      validateOnly: true,
    })
  }

  test('settings of brokers that cannot be altered', async () => {
    same(await alter(BROKER, '1', ['log.cleaner.threads', SET, '2']), [0])
    same(await alter(BROKER, '', ['log.cleaner.threads', SET, '2']), [0])
    same(await alter(BROKER, '1'), [0])
    same(await alter(BROKER, '1', ['nonsense', SET, '1']), [0])
    same(await alter(BROKER, '1', ['nonsense', DELETE, null]), [0])
    for (const value of ['x', '0', '']) same(await alter(BROKER, '1', ['log.cleaner.threads', SET, value]), [42])
    same(await alter(BROKER, '1', ['log.cleaner.threads', APPEND, '1']), [40])
    same(await alter(BROKER, '1', ['log.cleanup.policy', APPEND, 'compact']), [0])
    same(await alter(BROKER, '1', ['broker.id', SET, '7']), [42])
    same(await alter(BROKER, '1', ['num.partitions', SET, '3']), [42])
    same(await alter(BROKER, '', ['num.partitions', SET, '3']), [42])
    same(await alter(BROKER, '', ['listeners', SET, 'PLAINTEXT://:9']), [42])
    same(await alter(BROKER, '1', ['message.max.bytes', SET, 'x']), [42])
    same(await alter(BROKER, '1', ['max.connections.per.ip', SET, '-1']), [42])
    same(await alter(BROKER, '1', ['log.message.timestamp.type', SET, 'Never']), [42])
    same(await alter(BROKER, '1', ['log.retention.ms', SET, '5000']), [0])
    same(await alter(BROKER, '1', ['log.retention.ms', SET, null]), [42])
    same(await alter(BROKER, '1', ['log.retention.ms', SET, '1'], ['log.retention.ms', SET, '2']), [42])
    same(await alter(BROKER, '1', ['log.retention.ms', 9, '1']), [42])
    for (const name of ['99', 'x']) same(await alter(BROKER, name, ['log.retention.ms', SET, '5000']), [42])
  })

  test('levels of loggers that cannot be set', async () => {
    same(await alter(LOGGER, '1', ['root', SET, 'INFO']), [0])
    for (const level of ['LOUD', 'info', '']) same(await alter(LOGGER, '1', ['root', SET, level]), [40])
    same(await alter(LOGGER, '1', ['not.there', SET, 'INFO']), [40])
    same(await alter(LOGGER, '1', ['not.there', DELETE, null]), [40])
    same(await alter(LOGGER, '1', ['root', DELETE, null]), [42])
    same(await alter(LOGGER, '1', ['root', APPEND, 'INFO']), [42])
    same(await alter(LOGGER, '1', ['root', SET, null]), [42])
    same(await alter(LOGGER, '1', ['root', 9, 'INFO']), [-1])
    same(await alter(LOGGER, '1', ['root', SET, 'INFO'], ['root', SET, 'INFO']), [42])
    for (const name of ['2', '', 'x']) same(await alter(LOGGER, name, ['root', SET, 'INFO']), [42])
  })

  test('subscriptions to metrics that cannot be', async () => {
    const set = (name: string, value: string | null): Promise<number[]> =>
      alter(CLIENT_METRICS, 'none', [name, SET, value])
    same(await set('interval.ms', '1000'), [0])
    for (const value of ['99', '3600001', '-1']) same(await set('interval.ms', value), [42])
    same(await set('interval.ms', 'x'), [40])
    same(await set('interval.ms', null), [42])
    same(await set('metrics', 'org.apache.kafka.producer.,x'), [0])
    same(await set('metrics', ''), [0])
    same(await alter(CLIENT_METRICS, 'none', ['metrics', APPEND, 'y']), [40])
    same(await set('match', 'client_id=a.*'), [0])
    for (const rule of ['nonsense=a', 'client_id', 'client_id=[', 'client_id=a=b']) same(await set('match', rule), [40])
    same(await set('nonsense', '1'), [42])
    same(await alter(CLIENT_METRICS, 'none', ['nonsense', DELETE, null]), [0])
    same(await alter(CLIENT_METRICS, '', ['interval.ms', SET, '1000']), [42])
    same(await alter(CLIENT_METRICS, 'a/b', ['interval.ms', SET, '1000']), [0])
    same(await alter(CLIENT_METRICS, 'none', ['interval.ms', 9, '1000']), [-1])
  })

  test('whole configurations that cannot be replaced', async () => {
    const replace = (resourceType: number, resourceName: string, name: string, value: string): Promise<number[]> =>
      codes(AlterConfigs, 2, {
        resources: [{ resourceType, resourceName, configs: [{ name, value }] }],
        validateOnly: true,
      })
    same(await replace(BROKER, '1', 'log.cleaner.threads', '2'), [0])
    same(await replace(BROKER, '1', 'nonsense', '2'), [0])
    same(await replace(BROKER, '1', 'broker.id', '2'), [42])
    same(await replace(BROKER, '', 'log.cleaner.threads', 'x'), [42])
    same(await replace(BROKER, '99', 'log.cleaner.threads', '2'), [42])
    same(await replace(LOGGER, '1', 'root', 'INFO'), [42])
    same(await replace(CLIENT_METRICS, 'none', 'interval.ms', '2000'), [0])
    same(await replace(CLIENT_METRICS, 'none', 'interval.ms', '1'), [42])
    same(await replace(CLIENT_METRICS, '', 'interval.ms', '1000'), [42])
    same(await replace(0, '1', 'x', '2'), [42])
    same(await replace(77, '1', 'x', '2'), [42])
  })
}
