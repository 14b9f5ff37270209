/**
 * One incremental fetch session with one broker (KIP-227). The broker remembers the wanted partitions: a request says
 * only what has changed, a response only what is new. Pure: decides what to send next.
 */
import type { FetchRequest } from '@ottla/protocol'

type RequestPartition = FetchRequest['topics'][number]['partitions'][number]

/** A partition to be fetched. */
export interface WantedPartition {
  /** Its cursor: a new one needs what the broker has already told the old one. */
  readonly owner: object
  /**
   * The partition's name, the same in all assignments: if one request both added and forgot a partition, the broker
   * would do so in that order.
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

/** The session's part of a fetch request; topics carry both names and ids. */
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

  /** The next request, so that the broker returns exactly these partitions. */
  request(wanted: readonly WantedPartition[]): SessionRequest {
    const round = ++this.#round
    // A response leaves out what the session has already returned, to whichever cursor.
    if (wanted.some(({ key, owner }) => (this.#sent.get(key)?.wanted.owner ?? owner) !== owner)) this.reset()
    // Without a session every request names all partitions.
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
      // A recreated topic has the same name, but another id.
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

  /** The broker may have lost the session or a request: the next request replaces it by a new session. */
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
