/**
 * Fetches on the wire (KIP-227, KIP-320): the requests of a session are counted, a broker is not left to send again and
 * again what nobody wants, and nobody goes back to the leaders of earlier epochs.
 */
import { Fetch, type Decoded, type FetchRequest, type FetchResponse, type WireMessage } from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

/** What is on its way when a partition is no longer wanted comes in vain. */
const MOST_IN_VAIN = 5

/** A partition of a session. */
interface Served {
  readonly offset: number
  /** How often messages have come since the client has named it. */
  times: number
}

/** What a client and a broker know of their session. */
interface Session {
  id: number
  epoch: number
  /** By topic and number. */
  readonly partitions: Map<string, Served>
}

export class FetchJudge implements WireJudge {
  readonly apis = [Fetch.key]
  readonly #world: Watched
  /** By client and broker. */
  readonly #sessions = new Map<string, Session>()
  /** By client and partition. */
  readonly #leaderEpochs = new Map<string, number>()
  /** Connections that carry fetches, and whether requests may have waited for the end of a throttle. */
  readonly #connections = new Map<number, boolean>()

  constructor(world: Watched) {
    this.#world = world
  }

  onRequest({ host, broker, connection, request }: Exchange): void {
    const isThrottled = this.#connections.get(connection)
    if (isThrottled === undefined) this.#connections.set(connection, false)
    // The first fetch has waited for the connection, and may be as old.
    const isFresh = isThrottled === false
    const body = request.body as Decoded<FetchRequest>
    const { sessionId, sessionEpoch } = body
    const session = this.#session(host, broker)
    if (sessionEpoch <= 0) session.partitions.clear()
    else if (sessionId === session.id && sessionEpoch <= session.epoch)
      this.#world.complain(
        `${host} sends fetch ${sessionEpoch} of its session with broker-${broker} after ${session.epoch}`,
      )
    session.id = sessionId
    session.epoch = sessionEpoch
    for (const { topic, topicId, partitions } of body.topics) {
      for (const { partition, fetchOffset, currentLeaderEpoch } of partitions) {
        const name = nameOf(topic, topicId, partition)
        session.partitions.set(name, { offset: fetchOffset, times: 0 })
        if (topic === '' && currentLeaderEpoch >= 0 && isFresh) this.#checkEpoch(host, name, currentLeaderEpoch)
      }
    }
    for (const { topic, topicId, partitions } of body.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(nameOf(topic, topicId, partition))
    }
  }

  onResponse({ host, broker, connection, request }: Exchange, { body }: WireMessage): void {
    const { sessionId, responses, throttleTimeMs } = body as Decoded<FetchResponse>
    if (throttleTimeMs > 0) this.#connections.set(connection, true)
    const session = this.#session(host, broker)
    if ((request.body as Decoded<FetchRequest>).sessionEpoch === 0) session.id = sessionId
    for (const { topic, topicId, partitions } of responses) {
      for (const { partitionIndex, records } of partitions) {
        const name = nameOf(topic, topicId, partitionIndex)
        const served = session.partitions.get(name)
        if (served === undefined || records === null || records.length === 0) continue
        served.times++
        // A queue that holds next to nothing is emptied for those that wait more urgently.
        const isTiny = this.#world.consumers.get(host)?.config['queued.max.messages.kbytes'] !== undefined
        if (served.times === MOST_IN_VAIN + 1 && !isTiny)
          this.#world.complain(
            `${host} has fetched ${name} from ${served.offset} ${served.times} times from broker-${broker}`,
          )
      }
    }
  }

  #checkEpoch(host: string, partition: string, epoch: number): void {
    const key = `${host} ${partition}`
    const before = this.#leaderEpochs.get(key) ?? -1
    if (epoch < before)
      this.#world.complain(`${host} fetches ${partition} in leader epoch ${epoch}, and knew ${before}`)
    this.#leaderEpochs.set(key, Math.max(before, epoch))
  }

  #session(host: string, broker: number): Session {
    const key = `${host} ${broker}`
    let session = this.#sessions.get(key)
    if (session === undefined) this.#sessions.set(key, (session = { id: 0, epoch: 0, partitions: new Map() }))
    return session
  }
}

function nameOf(topic: string, topicId: string, partition: number): string {
  return `${topic === '' ? topicId : topic} [${partition}]`
}
