/** Our members, Java's and librdkafka's in one group, joining and leaving while a producer writes. */
import { Producer } from 'ottla'
import type { Peer } from '../../foreign/peer.ts'
import { OurMember, TheirMember, type Member, type Membership } from './members.ts'
import { overlaps, timesRead, type MemberHistory } from './ownership.ts'

const quiet = (): void => undefined

export interface MixedGroupOptions extends Membership {
  readonly partitions: number
  readonly seconds: number
  /** Per second. */
  readonly messages: number
  readonly peers: Readonly<Record<string, Peer>>
  readonly random: () => number
  readonly log: (line: string) => void
}

export interface MixedGroupResult {
  readonly written: number
  readonly missing: readonly number[]
  /** The number of messages read by several members, by those members' names. */
  readonly repeats: ReadonlyMap<string, number>
  readonly overlaps: readonly string[]
  readonly histories: readonly MemberHistory[]
}

const MOST_MEMBERS = 6
const SLICE_MS = 50
const TIMEOUT_MS = 60_000

/** All members leave the group properly, so that no message should be read twice. */
export async function mixedGroup(options: MixedGroupOptions): Promise<MixedGroupResult> {
  const { random, log, peers } = options
  const kinds = ['ours', ...Object.keys(peers)]
  const histories: MemberHistory[] = []
  const members: { kind: string; member: Member }[] = []
  let joined = 0
  const join = async (kind: string): Promise<void> => {
    const name = `${kind} ${++joined}`
    const peer = peers[kind]
    const member = peer === undefined ? new OurMember(name, options) : await TheirMember.join(name, peer, options)
    members.push({ kind, member })
    log(`${name} joins (${members.length} members)`)
  }
  const leave = async (index: number): Promise<void> => {
    const [leaving] = members.splice(index, 1)
    if (leaving === undefined) return
    const history = await leaving.member.leave()
    histories.push(history)
    for (const complaint of history.complaints ?? []) log(`${history.name}: ${complaint}`)
    log(`${leaving.member.name} left (${members.length} members)`)
  }

  const writer = new Writer(options)
  for (const kind of kinds) await join(kind)
  const end = Date.now() + options.seconds * 1000
  while (Date.now() < end) {
    await sleep(500 + random() * 2500)
    const isFull = members.length === MOST_MEMBERS
    if (!isFull && (members.length === 1 || random() < 0.5)) {
      // Prefer a kind that is missing, to keep the group mixed.
      const absent = kinds.filter(kind => members.every(one => one.kind !== kind))
      const from = absent.length > 0 ? absent : kinds
      await join(from[Math.floor(random() * from.length)] ?? 'ours')
    } else {
      await leave(Math.floor(random() * members.length))
    }
  }
  const written = await writer.stop()
  await allRead(written, members, histories)
  while (members.length > 0) await leave(0)
  return { written, ...timesRead(histories, written), overlaps: overlaps(histories), histories }
}

/** Waits, up to a timeout, until the members have read as many messages as were written. */
async function allRead(
  written: number,
  members: readonly { member: Member }[],
  histories: readonly MemberHistory[],
): Promise<void> {
  const before = histories.reduce((sum, { values }) => sum + values.length, 0)
  const deadline = Date.now() + TIMEOUT_MS
  for (;;) {
    let received = before
    for (const { member } of members) received += await member.received()
    if (received >= written || Date.now() > deadline) break
    await sleep(200)
  }
  // Messages read twice may have been counted in place of missing ones: give those a moment more.
  await sleep(1000)
}

/** Writes each number once, to all partitions in turn. */
class Writer {
  readonly #producer: Producer
  readonly #options: MixedGroupOptions
  #written = 0
  #failure: Error | undefined
  #isStopped = false
  readonly #writing: Promise<void>

  constructor(options: MixedGroupOptions) {
    this.#options = options
    this.#producer = new Producer(
      { 'bootstrap.servers': options.bootstrapServers, 'enable.idempotence': true, 'linger.ms': 5 },
      { logger: quiet },
    )
    this.#writing = this.#write()
  }

  /** @returns the number of messages written */
  async stop(): Promise<number> {
    this.#isStopped = true
    await this.#writing
    await this.#producer.close()
    if (this.#failure !== undefined) throw this.#failure
    return this.#written
  }

  async #write(): Promise<void> {
    const { topic, partitions, messages } = this.#options
    while (!this.#isStopped) {
      for (let n = Math.ceil((messages * SLICE_MS) / 1000); n > 0; n--) {
        const value = this.#written++
        this.#producer.produce({ topic, partition: value % partitions, value: String(value) }, ({ error }) => {
          this.#failure ??= error
        })
      }
      await sleep(SLICE_MS)
    }
    await this.#producer.flush(TIMEOUT_MS)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
