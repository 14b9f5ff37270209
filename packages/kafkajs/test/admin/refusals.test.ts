/** What an admin client refuses before it asks a broker: with the error of kafkajs, to the letter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as facade from '@ottla/kafkajs'
import { original } from '../kafkajs.ts'

const config = { brokers: ['127.0.0.1:1'], logLevel: facade.logLevel.NOTHING, retry: { retries: 0 } }
const ours = new facade.Kafka(config).admin()
const theirs = new (original['Kafka'] as typeof facade.Kafka)(config).admin()

type Call = Exclude<keyof facade.Admin, 'events' | 'on' | 'logger' | 'connect' | 'disconnect'>

const topic = 'topic-123'
const acl = {
  resourceType: facade.AclResourceTypes.TOPIC,
  resourceName: 'foo',
  resourcePatternType: facade.ResourcePatternTypes.LITERAL,
  principal: 'User:foo',
  host: '*',
  operation: facade.AclOperationTypes.ALL,
  permissionType: facade.AclPermissionTypes.DENY,
}
const wrongRules = [
  { ...acl, resourceName: 123 },
  { ...acl, principal: 123 },
  { ...acl, host: 123 },
  { ...acl, resourceType: 123 },
  { ...acl, resourcePatternType: 123 },
  { ...acl, permissionType: 123 },
  { ...acl, operation: 123 },
]
const type = facade.ConfigResourceTypes.TOPIC
const noArray = [null, 'this-is-not-an-array']
const noTopics = [...noArray, [{ topic: 123 }], [{ topic }, { topic }]]
const noResources = [
  ...noArray,
  [],
  [{ type }, { type: 1999 }],
  [
    { type, name: 'abc' },
    { type, name: null },
  ],
  [
    { type, name: 'abc' },
    { type, name: 123 },
  ],
]

const refused: Partial<Record<Call, readonly unknown[]>> = {
  createTopics: [
    ...noTopics,
    ...['no', ['no'], [null], [{ name: 'no-value' }], [{ value: 'no-name' }]].map(configEntries => [
      { topic, configEntries },
    ]),
  ].map(topics => ({ topics })),
  deleteTopics: [...noArray, [123]].map(topics => ({ topics })),
  createPartitions: [...noTopics, []].map(topicPartitions => ({ topicPartitions })),
  fetchTopicMetadata: [null, 0].map(name => ({ topics: [name] })),
  fetchTopicOffsets: [null, ''],
  fetchTopicOffsetsByTimestamp: [null],
  fetchOffsets: [{ groupId: null }],
  resetOffsets: [{ groupId: null }, { groupId: 'g', topic: null }],
  setOffsets: [
    { groupId: null },
    { groupId: 'g', topic: null },
    ...[null, []].map(partitions => ({ groupId: 'g', topic, partitions })),
  ],
  describeConfigs: [...noResources, [{ type, name: 'def', configNames: 123 }]].map(resources => ({ resources })),
  alterConfigs: [
    ...noResources,
    ...[123, [{}], [{ name: 'a' }]].map(configEntries => [{ type, name: 'def', configEntries }]),
  ].map(resources => ({ resources })),
  createAcls: [...noArray, [], ...wrongRules.map(each => [acl, each])].map(given => ({ acl: given })),
  deleteAcls: [...noArray, [], ...wrongRules.map(each => [acl, each])].map(filters => ({ filters })),
  describeAcls: wrongRules,
  alterPartitionReassignments: [
    ...noTopics,
    ...[
      null,
      'no',
      [{ partition: null }],
      [{ partition: -1 }],
      [{ partition: 0, replicas: null }],
      [{ partition: 0, replicas: [0, 'a'] }],
    ].map(partitionAssignment => [{ topic, partitionAssignment }]),
  ].map(topics => ({ topics })),
  listPartitionReassignments: [
    'no',
    [{ topic: 123 }],
    [{ topic }, { topic }],
    ...[null, 'no', [0, 'a']].map(partitions => [{ topic, partitions }]),
  ].map(topics => ({ topics })),
}

for (const [call, args] of Object.entries(refused)) {
  test(`${call} refuses it with kafkajs's error`, async () => {
    for (const arg of args) {
      const shown = JSON.stringify(arg)
      const expected = await outcome(theirs as never, call, arg)
      assert.equal(expected.name, 'KafkaJSNonRetriableError', shown)
      assert.deepEqual(await outcome(ours as never, call, arg), expected, shown)
    }
  })
}

async function outcome(
  admin: Readonly<Record<string, (arg: unknown) => Promise<unknown>>>,
  call: string,
  arg: unknown,
): Promise<{ name: string; message: string; retriable: boolean }> {
  try {
    await admin[call]?.(arg)
  } catch (error) {
    const { name, message, retriable } = error as facade.KafkaJSError
    return { name, message, retriable }
  }
  return assert.fail(`${call} took ${JSON.stringify(arg)}`)
}
