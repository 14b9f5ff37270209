/** Our members, Java's and librdkafka's in one group, coming and going while a producer writes. */
import { Producer } from 'ottla'
import type { Peer } from '../../foreign/peer.ts'
import { OurMember, TheirMember, type Member, type Membership } from './members.ts'
import { overlaps, timesRead, type Story } from './ownership.ts'

const quiet = (): void => undefined

export interface MixedGroup extends Membership {
  readonly partitions: number
  readonly seconds: number
  /** Per second. */
  readonly messages: number
  readonly peers: Readonly<Record<string, Peer>>
  readonly random: () => number
  readonly tell: (line: string) => void
}

export interface MixedResult {
  readonly written: number
  readonly missing: readonly number[]
  /** How many messages were read by more than one, by the names of these. */
  readonly repeats: ReadonlyMap<string, number>
  readonly overlaps: readonly string[]
  readonly stories: readonly Story[]
}

const MOST_MEMBERS = 6
const SLICE_MS = 50
const PATIENCE_MS = 60_000

/** Everybody leaves in good order, so that no message needs to be read twice. */
export async function mixedGroup(options: MixedGroup): Promise<MixedResult> {
  const { random, tell, peers } = options
  const kinds = ['ours', ...Object.keys(peers)]
  const stories: Story[] = []
  const members: { kind: string; member: Member }[] = []
  let joined = 0
  const join = async (kind: string): Promise<void> => {
    const name = `${kind} ${++joined}`
    const peer = peers[kind]
    const member = peer === undefined ? new OurMember(name, options) : await TheirMember.join(name, peer, options)
    members.push({ kind, member })
    tell(`${name} joins (${members.length} members)`)
  }
  const leave = async (index: number): Promise<void> => {
    const [leaving] = members.splice(index, 1)
    if (leaving === undefined) return
    const story = await leaving.member.leave()
    stories.push(story)
    for (const complaint of story.complaints ?? []) tell(`${story.name}: ${complaint}`)
    tell(`${leaving.member.name} left (${members.length} members)`)
  }

  const writer = new Writer(options)
  for (const kind of kinds) await join(kind)
  const end = Date.now() + options.seconds * 1000
  while (Date.now() < end) {
    await sleep(500 + random() * 2500)
    const isFull = members.length === MOST_MEMBERS
    if (!isFull && (members.length === 1 || random() < 0.5)) {
      // A kind that is missing comes first: the group is to be mixed.
      const absent = kinds.filter(kind => members.every(one => one.kind !== kind))
      const from = absent.length > 0 ? absent : kinds
      await join(from[Math.floor(random() * from.length)] ?? 'ours')
    } else {
      await leave(Math.floor(random() * members.length))
    }
  }
  const written = await writer.stop()
  await allRead(written, members, stories)
  while (members.length > 0) await leave(0)
  return { written, ...timesRead(stories, written), overlaps: overlaps(stories), stories }
}

/** Waits until as many readings were made as messages written; who waits in vain finds out which are missing. */
async function allRead(
  written: number,
  members: readonly { member: Member }[],
  stories: readonly Story[],
): Promise<void> {
  const before = stories.reduce((sum, { values }) => sum + values.length, 0)
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    let readings = before
    for (const { member } of members) readings += await member.received()
    if (readings >= written || Date.now() > deadline) break
    await sleep(200)
  }
  // Nothing tells that repeats were not counted for messages that are missing: a moment more for these.
  await sleep(1000)
}

/** Numbers, each once, to all partitions in turn. */
class Writer {
  readonly #producer: Producer
  readonly #options: MixedGroup
  #written = 0
  #failure: Error | undefined
  #isStopped = false
  readonly #writing: Promise<void>

  constructor(options: MixedGroup) {
    this.#options = options
    this.#producer = new Producer(
      { 'bootstrap.servers': options.bootstrapServers, 'enable.idempotence': true, 'linger.ms': 5 },
      { logger: quiet },
    )
    this.#writing = this.#write()
  }

  /** @returns how many messages there are in the topic */
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
    await this.#producer.flush(PATIENCE_MS)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
