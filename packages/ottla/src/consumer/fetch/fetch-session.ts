/**
 * One incremental fetch session with one broker (KIP-227): the broker remembers what is wanted, a request tells only
 * what has changed, an answer only what is new. Pure: what to send next, given what was sent and answered.
 */
import type { FetchRequest } from '@ottla/protocol'

type RequestPartition = FetchRequest['topics'][number]['partitions'][number]

/** A partition to be fetched. */
export interface WantedPartition {
  /** Whose it is: one that has taken another's place wants to be told what that one has been told. */
  readonly owner: object
  /**
   * The partition's name, the same over all assignments: a broker that is told of a partition and told to forget it
   * in one request does both, in that order.
   */
  readonly key: string
  readonly topic: string
  /** All zeros where the broker has none. */
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly partitionMaxBytes: number
}

interface Sent {
  wanted: WantedPartition
  round: number
}

/** The part of a fetch request that is about the session; topics carry both names and ids. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly { topic: string; topicId: string; partitions: RequestPartition[] }[]
  readonly forgotten: readonly { topic: string; topicId: string; partitions: number[] }[]
}

const LAST_EPOCH = 0x7fff_ffff

export class FetchSession {
  #id = 0
  /** 0 asks for a new session. */
  #epoch = 0
  #round = 0
  readonly #sent = new Map<string, Sent>()

  /** What to send so that the broker fetches exactly these. */
  request(wanted: readonly WantedPartition[]): SessionRequest {
    const round = ++this.#round
    // An answer leaves out what the broker has told before, whomever.
    if (wanted.some(({ key, owner }) => (this.#sent.get(key)?.wanted.owner ?? owner) !== owner)) this.reset()
    // Without a session everything is said each time.
    if (this.#epoch === 0) this.#sent.clear()
    const topics: { topic: string; topicId: string; partitions: RequestPartition[] }[] = []
    const forgotten: { topic: string; topicId: string; partitions: number[] }[] = []
    for (const next of wanted) {
      const sent = this.#sent.get(next.key)
      if (sent === undefined) {
        this.#sent.set(next.key, { wanted: next, round })
        partitionsOf(topics, next).push(requestPartition(next))
        continue
      }
      const before = sent.wanted
      sent.wanted = next
      sent.round = round
      // A topic that was recreated is another one, under the same name.
      if (before.topicId !== next.topicId) partitionsOf(forgotten, before).push(before.partition)
      else if (same(before, next)) continue
      partitionsOf(topics, next).push(requestPartition(next))
    }
    if (this.#sent.size > wanted.length) {
      for (const [key, sent] of this.#sent) {
        if (sent.round === round) continue
        this.#sent.delete(key)
        partitionsOf(forgotten, sent.wanted).push(sent.wanted.partition)
      }
    }
    return { sessionId: this.#id, sessionEpoch: this.#epoch, topics, forgotten }
  }

  /** The broker has answered. @param sessionId 0 when it keeps no session */
  answered(sessionId: number): void {
    this.#id = sessionId
    if (sessionId === 0) {
      this.reset()
      return
    }
    this.#epoch = this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1
  }

  /** The broker may have forgotten, or may not have got, what it was told: begins anew, in place of the session before. */
  reset(): void {
    this.#epoch = 0
    this.#sent.clear()
  }
}

function same(a: WantedPartition, b: WantedPartition): boolean {
  return (
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.partitionMaxBytes === b.partitionMaxBytes
  )
}

function requestPartition(wanted: WantedPartition): RequestPartition {
  const { partition, fetchOffset, currentLeaderEpoch, partitionMaxBytes } = wanted
  return { partition, fetchOffset, currentLeaderEpoch, partitionMaxBytes }
}

/** The list of the topic, which neighbours share; a topic may have several entries. */
function partitionsOf<P>(
  list: { topic: string; topicId: string; partitions: P[] }[],
  { topic, topicId }: WantedPartition,
): P[] {
  const last = list.at(-1)
  if (last !== undefined && last.topic === topic && last.topicId === topicId) return last.partitions
  const partitions: P[] = []
  list.push({ topic, topicId, partitions })
  return partitions
}
