/** The exact contents of responses to administrators and members: empty text or null, documentation, limits. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AlterConfigs,
  AlterUserScramCredentials,
  CreateAcls,
  CreateTopics,
  DeleteAcls,
  DescribeAcls,
  DescribeConfigs,
  DescribeUserScramCredentials,
  ErrorCode,
  FindCoordinator,
  IncrementalAlterConfigs,
  JoinGroup,
  type DescribeConfigsResponse,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { patiently, same } from './answers.ts'
import { fresh } from './world.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const SHA_256 = 1
const SHA_512 = 2
const fine = ErrorCode.ERR_NO_ERROR

/** @param start a cluster with ACLs whose anonymous user may do everything; classic sessions take from 500 to 1,800,000 ms */
export function adminAnswerScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let client: WireClient
  const topic = fresh('answers')

  before(async () => {
    world = await start()
    client = await WireClient.connect(world.bootstrapServers)
    const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    same((await client.ask(CreateTopics, 7, { topics, timeoutMs: 10_000 })).topics[0]?.errorCode, 0)
    await patiently('the topic is not known', async () => (await describe([[TOPIC, topic]]))[0]?.errorCode === 0)
  })

  after(async () => {
    client.close()
    await world.close()
  })

  async function describe(
    resources: readonly (readonly [number, string])[],
    includeDocumentation = false,
  ): Promise<DescribeConfigsResponse['results']> {
    const asked = resources.map(([resourceType, resourceName]) => ({
      resourceType,
      resourceName,
      configurationKeys: null,
    }))
    return (await client.ask(DescribeConfigs, 4, { resources: asked, includeDocumentation })).results
  }

  test('DescribeConfigs has an empty text where there is no message', async () => {
    const found = await describe([
      [TOPIC, topic],
      [TOPIC, fresh('missing')],
      [BROKER, '1'],
      [BROKER, ''],
      [LOGGER, '1'],
      [CLIENT_METRICS, 'm'],
      [GROUP, 'g'],
    ])
    const outcomes = found.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
    const unknown = ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    same(outcomes, [[fine, ''], [unknown, ''], ...Array.from({ length: 5 }, () => [fine, ''])])
  })

  test('DescribeConfigs has documentation of known settings when asked', async () => {
    const resources = [[TOPIC, topic], [GROUP, 'g'], [CLIENT_METRICS, 'm'], [BROKER, '1']] as const // prettier-ignore
    for (const { resourceType, configs } of await describe(resources, true)) {
      // Settings that a broker was started with but Kafka does not know have none.
      const known = resourceType === BROKER ? configs.filter(({ name }) => /^(group|log)\./.test(name)) : configs
      assert.ok(known.length > 0)
      for (const { name, documentation } of known) assert.ok((documentation ?? '').length > 0, name)
    }
    for (const { configs } of await describe(resources)) same([...new Set(configs.map(c => c.documentation))], [null])
    for (const isAsked of [true, false]) {
      const [loggers] = await describe([[LOGGER, '1']], isAsked)
      same([...new Set(loggers?.configs.map(c => c.documentation))], [''])
    }
  })

  test('ACLs: created and described with an empty text, deleted with null', async () => {
    const [resourceType, resourcePatternType, operation, permissionType] = [2, 3, 3, 3]
    const creation = { resourceType, resourcePatternType, operation, permissionType }
    const resourceName = fresh('answers')
    const creations = [{ ...creation, resourceName, principal: 'User:bob', host: '*' }]
    same((await client.ask(CreateAcls, 3, { creations })).results, [{ errorCode: fine, errorMessage: '' }])
    const anyAcl = { patternTypeFilter: 3, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
    const filter = { ...anyAcl, resourceTypeFilter: resourceType, resourceNameFilter: resourceName }
    await patiently('the ACL is not known', async () => {
      const { errorCode, errorMessage, resources } = await client.ask(DescribeAcls, 3, filter)
      same([errorCode, errorMessage], [fine, ''])
      return resources.length === 1
    })
    const { filterResults } = await client.ask(DeleteAcls, 3, { filters: [filter] })
    const matching = filterResults[0]?.matchingAcls.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
    same([filterResults[0]?.errorMessage, matching], [null, [[fine, null]]])
  })

  test('configurations are altered with null', async () => {
    const resource = { resourceType: TOPIC, resourceName: topic }
    const steps = [{ name: 'retention.ms', configOperation: 0, value: '500000' }]
    const incremental = await client.ask(IncrementalAlterConfigs, 1, {
      resources: [{ ...resource, configs: steps }],
      validateOnly: false,
    })
    const whole = [{ name: 'retention.ms', value: '500000' }]
    const replaced = await client.ask(AlterConfigs, 2, {
      resources: [{ ...resource, configs: whole }],
      validateOnly: false,
    })
    same([incremental.responses[0]?.errorMessage, replaced.responses[0]?.errorMessage], [null, null])
  })

  test('a request may change each SCRAM user once, whatever the mechanisms', async () => {
    const [two, both, one] = [fresh('two'), fresh('both'), fresh('one')]
    const upsertion = (name: string, mechanism = SHA_256) => ({
      name,
      mechanism,
      iterations: 4096,
      salt: Buffer.alloc(8, 1),
      saltedPassword: Buffer.alloc(32, 1),
    })
    const ask = async (deletions: readonly string[], upsertions: readonly ReturnType<typeof upsertion>[]) => {
      const asked = {
        deletions: deletions.map(name => ({ name, mechanism: SHA_256 })),
        upsertions: [...upsertions],
      }
      const { results } = await client.ask(AlterUserScramCredentials, 0, asked)
      return Object.fromEntries(results.map(({ user, errorCode, errorMessage }) => [user, [errorCode, errorMessage]]))
    }
    const refused = [ErrorCode.ERR_DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request']
    const made = await ask([], [upsertion(two), upsertion(two, SHA_512), upsertion(one), upsertion(both)])
    same(made, { [two]: refused, [one]: [fine, null], [both]: [fine, null] })
    await patiently('the user is not known', async () => {
      const { results } = await client.ask(DescribeUserScramCredentials, 0, { users: [{ name: both }] })
      return results[0]?.errorCode === fine && results[0].errorMessage === ''
    })
    same(await ask([both], [upsertion(both, SHA_512)]), { [both]: refused })
    const { errorMessage, results } = await client.ask(DescribeUserScramCredentials, 0, { users: [{ name: two }] })
    same([errorMessage, results[0]?.errorCode], ['', ErrorCode.ERR_RESOURCE_NOT_FOUND])
  })

  test('a classic member asks for a session within the limits of the broker', async () => {
    const group = fresh('answers')
    const coordinator = await coordinatorOf(group)
    const join = async (sessionTimeoutMs: number): Promise<number> => {
      const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
      const asked = { groupId: group, memberId: '', protocolType: 'consumer', protocols, sessionTimeoutMs }
      return (await coordinator.ask(JoinGroup, 5, { ...asked, rebalanceTimeoutMs: 1000 })).errorCode
    }
    const refused = ErrorCode.ERR_INVALID_SESSION_TIMEOUT
    same([await join(499), await join(1_800_001), await join(-1)], [refused, refused, refused])
    same([await join(500), await join(1_800_000)], Array(2).fill(ErrorCode.ERR_MEMBER_ID_REQUIRED))
    coordinator.close()
  })

  async function coordinatorOf(group: string): Promise<WireClient> {
    let address = ''
    await patiently('the group has no coordinator', async () => {
      const { coordinators } = await client.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
      const [found] = coordinators
      address = `${found?.host}:${found?.port}`
      return found?.errorCode === fine
    })
    const coordinator = await WireClient.connect(address)
    const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
    const asked = { groupId: group, memberId: '', protocolType: 'consumer', protocols, sessionTimeoutMs: 1000 }
    await patiently('the coordinator is not ready', async () => {
      const { errorCode } = await coordinator.ask(JoinGroup, 5, { ...asked, rebalanceTimeoutMs: 1000 })
      return errorCode === ErrorCode.ERR_MEMBER_ID_REQUIRED
    })
    return coordinator
  }
}
