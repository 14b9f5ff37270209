/**
 * How a cluster responds to administrative requests of a user without rights: all error codes of each response, in
 * order. The expected ones are those of Kafka 4.3.1.
 */
import { after, before, test } from 'node:test'
import {
  AddRaftVoter,
  AlterClientQuotas,
  AlterConfigs,
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  AlterUserScramCredentials,
  CreateAcls,
  DeleteAcls,
  DescribeAcls,
  DescribeClientQuotas,
  DescribeCluster,
  DescribeConfigs,
  DescribeLogDirs,
  DescribeQuorum,
  DescribeUserScramCredentials,
  ElectLeaders,
  IncrementalAlterConfigs,
  ListConfigResources,
  ListPartitionReassignments,
  RemoveRaftVoter,
  SaslAuthenticate,
  SaslHandshake,
  UnregisterBroker,
  UpdateFeatures,
  type Api,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { codesOf, same } from './answers.ts'
import { passwords, type World } from './world.ts'

/** @param start three brokers with SASL PLAIN and ACLs, none of them for mallory */
export function adminDeniedScenarios(start: () => Promise<World>): void {
  let world: World
  let client: WireClient

  const codes = async <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<number[]> =>
    codesOf(await client.ask(api, version, body))

  before(async () => {
    world = await start()
    client = await WireClient.connect(world.bootstrapServers)
    same((await client.ask(SaslHandshake, 1, { mechanism: 'PLAIN' })).errorCode, 0)
    const authBytes = Buffer.from(`\0mallory\0${passwords['mallory'] ?? ''}`)
    same((await client.ask(SaslAuthenticate, 2, { authBytes })).errorCode, 0)
  })
  after(async () => {
    client.close()
    await world.close()
  })

  test('a user without rights moves and elects nothing', async () => {
    const topicPartitions = [{ topic: 'not-there', partitions: [0, 1] }]
    same(await codes(ElectLeaders, 2, { electionType: 0, topicPartitions }), [31, 31, 31])
    same(await codes(ElectLeaders, 2, { electionType: 9, topicPartitions }), [31, 31, 31])
    same(await codes(ElectLeaders, 2, { electionType: 0, topicPartitions: null }), [31])
    const topics = [{ name: 'not-there', partitions: [{ partitionIndex: 0, replicas: [1] }] }]
    same(await codes(AlterPartitionReassignments, 1, { topics }), [31, 31])
    same(await codes(ListPartitionReassignments, 0, { topics: null }), [31])
    const dirs = [{ path: '/nowhere', topics: [{ name: 'not-there', partitions: [0, 1] }] }]
    same(await codes(AlterReplicaLogDirs, 2, { dirs }), [31, 31])
    same(await codes(DescribeLogDirs, 4, { topics: null }), [31])
  })

  test('a user without rights neither sees nor sets quotas, users and ACLs', async () => {
    const entity = [{ entityType: 'user', entityName: 'mallory' }]
    const ops = [{ key: 'producer_byte_rate', value: 1e9, remove: false }]
    same(await codes(AlterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false }), [31])
    same(await codes(DescribeClientQuotas, 1, { components: [], strict: false }), [31])
    const upsertion = {
      name: 'mallory',
      mechanism: 1,
      iterations: 1,
      salt: Buffer.alloc(1),
      saltedPassword: Buffer.alloc(1),
    }
    same(await codes(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion] }), [31])
    same(await codes(DescribeUserScramCredentials, 0, { users: [{ name: 'mallory' }] }), [31, 31])
    const rule = { resourceType: 2, resourceName: 'x', resourcePatternType: 3, principal: 'User:mallory', host: '*' }
    same(await codes(CreateAcls, 3, { creations: [{ ...rule, operation: 2, permissionType: 3 }] }), [31])
    const open = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
    const filter = { ...open, resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 }
    same(await codes(DescribeAcls, 3, filter), [31])
    same(await codes(DeleteAcls, 3, { filters: [filter] }), [31])
  })

  test('a user without rights neither sees nor changes settings', async () => {
    const kinds = [[2, 'not-there', 29], [4, '1', 31], [8, '1', 31], [16, 'sub', 31], [32, 'group', 30]] as const // prettier-ignore
    const configs = [{ name: 'x', configOperation: 0, value: '1' }]
    for (const [resourceType, resourceName, code] of kinds) {
      const resource = { resourceType, resourceName, configurationKeys: null }
      same(await codes(DescribeConfigs, 4, { resources: [resource] }), [code])
      const resources = [{ resourceType, resourceName, configs }]
      same(await codes(IncrementalAlterConfigs, 1, { resources, validateOnly: false }), [code])
    }
    const settings = [{ name: 'x', value: '1' }]
    const resources = kinds.map(([resourceType, resourceName]) => ({ resourceType, resourceName, configs: settings }))
    same(await codes(AlterConfigs, 2, { resources, validateOnly: false }), [29, 31, 42, 31, 30])
    same(await codes(ListConfigResources, 1, { resourceTypes: [] }), [31])
  })

  test('a user without rights does not change the cluster', async () => {
    const featureUpdates = [{ feature: 'share.version', maxVersionLevel: 0, upgradeType: 2 }]
    same(await codes(UpdateFeatures, 2, { featureUpdates, validateOnly: true }), [31])
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    same(await codes(DescribeQuorum, 2, { topics }), [31])
    const voter = { clusterId: null, voterId: 77, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAABw' }
    same(await codes(AddRaftVoter, 0, { ...voter, timeoutMs: 100, listeners: [] }), [31])
    same(await codes(RemoveRaftVoter, 0, voter), [31])
    same(await codes(UnregisterBroker, 0, { brokerId: 77 }), [31])
    // Everybody may see this.
    same(await codes(DescribeCluster, 1, { includeClusterAuthorizedOperations: true }), [0])
  })
}
