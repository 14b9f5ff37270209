/**
 * What a member of the consumer group protocol (KIP-848) says it holds: never less than it holds or will hold without
 * asking again. The coordinator gives what a member does not name to others.
 */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer } from 'ottla'
import { closing } from '../harness/closing.ts'

const WAIT_MS = 20_000
const SLOW = 'slow'
const quiet = { logger: (): void => undefined }

let cluster: EmbeddedCluster
/** What the slow client's heartbeats say it holds: a count of partitions; null where they leave it out. */
let claims: (number | null)[]
/** No broker tells the slow client of any topic. */
let isHidden: boolean

beforeEach(async () => {
  cluster = closing(await EmbeddedCluster.start({ autoCreateTopics: false }))
  cluster.createTopic('topic', { partitions: 2, replicationFactor: 1 })
  claims = []
  isHidden = false
  cluster.control(({ apiName, clientId, body }) => {
    if (clientId !== SLOW) return undefined
    if (apiName === 'Metadata' && isHidden) return nothing()
    if (apiName !== 'ConsumerGroupHeartbeat') return undefined
    const { memberEpoch, topicPartitions } = body as Heartbeat
    if (memberEpoch > 0)
      claims.push(topicPartitions?.reduce((sum, { partitions }) => sum + partitions.length, 0) ?? null)
    return undefined
  })
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, quiet)
  const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: 'group', entries }])
  assert.equal(altered?.error, undefined)
})

interface Heartbeat {
  readonly memberEpoch: number
  readonly topicPartitions: readonly { readonly partitions: readonly number[] }[] | null
}

/** A cluster without topics. */
function nothing(): unknown {
  const [host = '', port] = cluster.bootstrapServers.split(':')
  return {
    throttleTimeMs: 0,
    clusterId: null,
    controllerId: 1,
    errorCode: 0,
    clusterAuthorizedOperations: -2147483648,
    brokers: [{ nodeId: 1, host, port: Number(port), rack: null }],
    topics: [],
  }
}

function member(clientId: string): Consumer {
  const config = {
    'bootstrap.servers': cluster.bootstrapServers,
    'client.id': clientId,
    'group.id': 'group',
    'group.protocol': 'consumer',
    'topic.metadata.refresh.interval.ms': 200,
  } as const
  return closing(new Consumer(config, quiet))
}

/** Polls in the background; a poll lasts as long as the application's callback. */
function polling(consumer: Consumer): Consumer {
  const end = new AbortController()
  const poll = async (): Promise<void> => {
    while (!end.signal.aborted) await consumer.poll(10)
  }
  const over = poll()
  closing({
    close: async () => {
      end.abort()
      await over
    },
  })
  return consumer
}

async function until(isThere: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!isThere()) {
    assert.ok(performance.now() < deadline, 'it does not come about')
    await setTimeout(5)
  }
}

function heartbeats(count: number): Promise<void> {
  const wanted = claims.length + count
  return until(() => claims.length >= wanted)
}

const nothingClaimed = (): number => claims.filter(claim => claim === 0).length

test('a topic whose name is not known yet', async () => {
  isHidden = true
  const slow = polling(member(SLOW))
  slow.subscribe(['topic'])
  await heartbeats(6)
  assert.equal(nothingClaimed(), 0)
  isHidden = false
  await until(() => slow.assignment().length === 2)
})

test('an application that takes its time over an assignment', async () => {
  let finish = (): void => undefined
  const finished = new Promise<void>(resolve => (finish = resolve))
  const slow = polling(member(SLOW))
  closing({
    close: async () => {
      finish()
      await finished
    },
  })
  slow.subscribe(['topic'], async event => {
    if (event.type === 'assign') await finished
  })
  await heartbeats(6)
  assert.equal(nothingClaimed(), 0)
  const other = polling(member('other'))
  other.subscribe(['topic'])
  await heartbeats(6)
  // One of the two is to move, and is not given up before the application knows that it had it.
  assert.deepEqual(other.assignment(), [])
  finish()
  await until(() => slow.assignment().length === 1 && other.assignment().length === 1)
})
