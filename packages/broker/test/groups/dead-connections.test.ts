/** Connections that die while a request waits: nothing is delivered, and members stay until their sessions expire. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Fetch, Heartbeat, JoinGroup, Produce, SyncGroup } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { batchBytes } from '../batches.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

const SESSION_MS = 10_000
const clock = new FakeClock()
let cluster: EmbeddedCluster
let idleTimers = 0
let groups = 0

before(async () => {
  cluster = await EmbeddedCluster.start({ clock, groupInitialRebalanceDelayMs: 0 })
  idleTimers = clock.pending
})

after(() => cluster.close())

const connect = (): Promise<WireClient> => WireClient.connect(cluster.bootstrapServers)

async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 10_000; i++) {
    if (await isTrue()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.fail(`never came true: ${what}`)
}

/** A member with the classic protocol and a connection of its own. */
class Member {
  readonly #client: WireClient
  readonly #groupId: string
  id = ''
  generation = -1

  constructor(client: WireClient, groupId: string) {
    this.#client = client
    this.#groupId = groupId
  }

  async join(): Promise<number> {
    const answer = await this.#client.ask(JoinGroup, 3, {
      groupId: this.#groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 60_000,
      memberId: this.id,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    })
    assert.equal(answer.errorCode, ErrorCode.ERR_NO_ERROR)
    this.id = answer.memberId
    this.generation = answer.generationId
    return answer.members.length
  }

  async sync(assigned: Readonly<Record<string, string>> = {}): Promise<string> {
    const assignments = Object.entries(assigned).map(([memberId, text]) => ({
      memberId,
      assignment: Buffer.from(text),
    }))
    const { id: memberId, generation: generationId } = this
    const answer = await this.#client.ask(SyncGroup, 3, { groupId: this.#groupId, generationId, memberId, assignments })
    assert.equal(answer.errorCode, ErrorCode.ERR_NO_ERROR)
    return answer.assignment.toString()
  }

  async beat(): Promise<number> {
    const { id: memberId, generation: generationId } = this
    const answer = await this.#client.ask(Heartbeat, 3, { groupId: this.#groupId, generationId, memberId })
    return answer.errorCode
  }

  /** Advances time until the sessions of the others expire, while this one stays alive. */
  async outlive(): Promise<void> {
    for (let passed = 0; passed <= SESSION_MS; passed += 2000) {
      await this.beat()
      clock.advance(2000)
    }
  }

  die(): void {
    this.#client.close()
  }
}

async function pair(): Promise<readonly [Member, Member]> {
  const groupId = `g-${groups++}`
  return [new Member(await connect(), groupId), new Member(await connect(), groupId)]
}

test('JoinGroup: a member that dies while it waits for the others stays until its session expires', async () => {
  const [first, second] = await pair()
  await first.join()
  await first.sync({ [first.id]: 'all' })
  const waiting = second.join()
  await until('the second waits', async () => (await first.beat()) === ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  second.die()
  await assert.rejects(waiting, /hung up/)
  assert.equal(await first.join(), 2)
  await first.sync({ [first.id]: 'half' })
  await first.outlive()
  assert.equal(await first.beat(), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  assert.equal(await first.join(), 1)
  assert.equal(await first.sync({ [first.id]: 'all' }), 'all')
  assert.equal(await first.beat(), ErrorCode.ERR_NO_ERROR)
  first.die()
})

test('SyncGroup: a member that dies while it waits for the leader gets its assignment on a retry', async () => {
  const [leader, other] = await pair()
  await leader.join()
  const joining = other.join()
  await until('the other waits', async () => (await leader.beat()) === ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  assert.equal(await leader.join(), 2)
  await joining
  const waiting = other.sync()
  await leader.beat()
  other.die()
  await assert.rejects(waiting, /hung up/)
  assert.equal(await leader.sync({ [leader.id]: 'one', [other.id]: 'two' }), 'one')
  assert.equal(await leader.beat(), ErrorCode.ERR_NO_ERROR)
  const again = new Member(await connect(), `g-${groups - 1}`)
  again.id = other.id
  again.generation = other.generation
  assert.equal(await again.sync(), 'two')
  again.die()
  await leader.outlive()
  assert.equal(await leader.beat(), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  leader.die()
})

test('Fetch: a fetch that dies while it waits leaves nothing behind, and new records go to others', async () => {
  cluster.createTopic('waited-for', { partitions: 1 })
  const [dying, reading] = [await connect(), await connect()]
  // Sessions of the groups of earlier tests.
  clock.advance(SESSION_MS * 10)
  idleTimers = clock.pending
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }]
  const body = { maxWaitMs: 60_000, minBytes: 1, maxBytes: 1e6, topics: [{ topic: 'waited-for', partitions }] }
  const waiting = dying.ask(Fetch, 12, body)
  await until('it waits', () => clock.pending > idleTimers)
  dying.close()
  await assert.rejects(waiting, /hung up/)
  await until('nobody waits', () => clock.pending <= idleTimers)
  const topicData = [{ name: 'waited-for', partitionData: [{ index: 0, records: batchBytes(2, {}, clock.now()) }] }]
  await reading.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const answer = await reading.ask(Fetch, 12, body)
  assert.ok((answer.responses[0]?.partitions[0]?.records?.length ?? 0) > 0)
  reading.close()
})
