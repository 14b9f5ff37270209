/**
 * What the brokers of a recording answer to another client: which connection of the recording a new one is, and which
 * recorded answer a request gets. Decides only; `broker-side.ts` does it.
 */
import {
  ApiVersions,
  ConsumerGroupHeartbeat,
  DescribeCluster,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
  ShareGroupHeartbeat,
  SyncGroup,
  isAnswered,
  type ProduceRequest,
  type ProduceResponse,
  type WireMessage,
} from '@ottla/protocol'
import type { Exchange, RecordedConnection, Transcript } from './transcript.ts'

/** What happens after a request. */
export type Reply =
  /** `number`: of the recorded connection; `body`: what the response says. */
  | {
      readonly kind: 'answer'
      readonly response: WireMessage
      readonly body: unknown
      readonly tookMs: number
      readonly number: number
    }
  /** The broker hangs up, as it did. */
  | { readonly kind: 'hang-up'; readonly tookMs: number; readonly number: number }
  /** It was not answered in the recording either, or gets no answer as acks=0 wants none. */
  | { readonly kind: 'unanswered'; readonly number: number }
  /** The recording has no such request. */
  | { readonly kind: 'unknown' }

const HANDSHAKE: ReadonlySet<number> = new Set([ApiVersions.key, SaslHandshake.key, SaslAuthenticate.key])

/**
 * Questions about the cluster, which any broker answers: on whichever connection they are asked, the answers come in
 * the order of the recording. A client that saw a newer one first would take the older for a change.
 */
const ABOUT_CLUSTER: ReadonlySet<number> = new Set([Metadata.key, FindCoordinator.key, DescribeCluster.key])

/** Questions that may be asked more often than they were: their last answer stays true. */
const REPEATABLE: ReadonlySet<number> = new Set([
  ...HANDSHAKE,
  ...ABOUT_CLUSTER,
  JoinGroup.key,
  SyncGroup.key,
  Heartbeat.key,
  LeaveGroup.key,
  OffsetCommit.key,
  OffsetFetch.key,
  ListOffsets.key,
  OffsetForLeaderEpoch.key,
])

/** A connection of the recording, and what of it has been played. */
interface Part {
  readonly recorded: RecordedConnection
  readonly played: Set<Exchange>
  isTaken: boolean
}

/** The whole recording. */
export class Script {
  readonly #parts: readonly Part[]

  constructor({ connections }: Transcript) {
    this.#parts = connections.map(recorded => ({ recorded, played: new Set<Exchange>(), isTaken: false }))
  }

  /** Addresses of the brokers that the client has connected to. */
  get brokers(): string[] {
    return [...new Set(this.#parts.map(({ recorded }) => recorded.broker))]
  }

  /** How many requests the recording has, and how many of them have been played. */
  get progress(): { readonly played: number; readonly all: number } {
    let played = 0
    let all = 0
    for (const part of this.#parts) {
      played += part.played.size
      all += part.recorded.exchanges.length
    }
    return { played, all }
  }

  /** A client connects to a broker. Null: it is refused, as it was. */
  connect(broker: string): ScriptedConnection | null {
    const parts = this.#parts.filter(({ recorded }) => recorded.broker === broker)
    const next = parts.find(({ isTaken }) => !isTaken)
    if (next !== undefined && !next.recorded.isOpen) {
      next.isTaken = true
      return null
    }
    if (parts.length > 0 && parts.every(({ recorded }) => !recorded.isOpen)) return null
    return new ScriptedConnection(parts, this.#parts)
  }
}

/** A client's connection. */
export class ScriptedConnection {
  readonly #parts: readonly Part[]
  readonly #everywhere: readonly Part[]
  readonly #handshake: Exchange[]
  #part: Part | null = null

  /** @param parts of the same broker */
  constructor(parts: readonly Part[], everywhere: readonly Part[]) {
    this.#parts = parts
    this.#everywhere = everywhere
    // Which connection it is shows with the first request after the handshake, and handshakes are alike.
    const likely = parts.find(({ isTaken, recorded }) => !isTaken && recorded.isOpen)
    this.#handshake = [...(likely?.recorded.exchanges ?? [])]
  }

  /** How long after the last reply the broker hangs up, ms, once all that was recorded is played; null if it does not. */
  get endsAfterMs(): number | null {
    if (this.#part === null) return null
    const { recorded, played } = this.#part
    const last = recorded.exchanges.at(-1)
    if (recorded.end?.by !== 'broker' || last === undefined || played.size < recorded.exchanges.length) return null
    // If that was owed an answer, the reply to it was to hang up.
    if (last.response === null && isAnswered(last.request)) return null
    return Math.max(0, recorded.end.ms - last.ms - last.tookMs)
  }

  reply(request: WireMessage): Reply {
    if (HANDSHAKE.has(request.api.key) && this.#part === null) {
      const at = this.#handshake.findIndex(exchange => exchange.request.api.key === request.api.key)
      const [exchange] = at < 0 ? [] : this.#handshake.splice(at, 1)
      return exchange === undefined ? this.#repeated(request) : this.#played(exchange, request)
    }
    this.#part ??= this.#take(request)
    const exchange = this.#next(request)
    return exchange === null ? this.#repeated(request) : this.#played(exchange, request)
  }

  #take(request: WireMessage): Part | null {
    const free = this.#parts.filter(({ isTaken, recorded }) => !isTaken && recorded.isOpen)
    const begins = ({ recorded }: Part): WireMessage | undefined =>
      recorded.exchanges.find(({ request: asked }) => !HANDSHAKE.has(asked.api.key))?.request
    const part =
      free.find(each => isSameQuestion(begins(each), request)) ??
      free.find(each => begins(each)?.api.key === request.api.key) ??
      free.find(each => each.recorded.exchanges.some(exchange => exchange.request.api.key === request.api.key)) ??
      null
    if (part !== null) part.isTaken = true
    return part
  }

  /** The next recorded request of this API: the same one if it is there. */
  #next(request: WireMessage): Exchange | null {
    if (ABOUT_CLUSTER.has(request.api.key)) {
      const [own] = this.#part === null ? [] : unplayed([this.#part], request)
      const answered = unplayed(this.#everywhere, request)
        .filter(exchange => exchange.response !== null && isSameQuestion(exchange.request, request))
        .sort(byAnswer)
      // Where the broker hung up instead, it does so again.
      if (own?.response !== null && answered[0] !== undefined) return answered[0]
    }
    // Some requests may go to any broker, and clients choose one by chance.
    for (const parts of [this.#part === null ? [] : [this.#part], this.#parts, this.#everywhere]) {
      const open = unplayed(parts, request)
      const next = open.find(exchange => isSameQuestion(exchange.request, request)) ?? open[0]
      if (next !== undefined) return next
    }
    return null
  }

  #repeated(request: WireMessage): Reply {
    if (!REPEATABLE.has(request.api.key)) return { kind: 'unknown' }
    const isAboutCluster = ABOUT_CLUSTER.has(request.api.key)
    for (const parts of isAboutCluster ? [this.#everywhere] : [this.#parts, this.#everywhere]) {
      const answered = parts
        .flatMap(({ recorded }) => recorded.exchanges)
        .filter(({ request: asked, response }) => asked.api.key === request.api.key && response !== null)
        .sort(byAnswer)
      const same = answered.findLast(exchange => isSameQuestion(exchange.request, request)) ?? answered.at(-1)
      if (same !== undefined) return this.#replyOf(same, request)
    }
    return { kind: 'unknown' }
  }

  #played(exchange: Exchange, request: WireMessage): Reply {
    this.#partOf(exchange)?.played.add(exchange)
    return this.#replyOf(exchange, request)
  }

  #replyOf({ request: asked, response, tookMs, ms }: Exchange, request: WireMessage): Reply {
    const recorded = this.#recordedOf(asked)
    const number = recorded?.number ?? 0
    if (response !== null) return { kind: 'answer', response, body: adapted(response, request), tookMs, number }
    const end = recorded?.end
    if (end?.by === 'broker' && isAnswered(asked)) return { kind: 'hang-up', tookMs: Math.max(0, end.ms - ms), number }
    return { kind: 'unanswered', number }
  }

  #partOf(exchange: Exchange): Part | undefined {
    return this.#everywhere.find(({ recorded }) => recorded.exchanges.includes(exchange))
  }

  #recordedOf(request: WireMessage): RecordedConnection | undefined {
    const part = this.#everywhere.find(({ recorded }) => recorded.exchanges.some(each => each.request === request))
    return part?.recorded
  }
}

function unplayed(parts: readonly Part[], request: WireMessage): Exchange[] {
  return parts.flatMap(({ recorded, played }) =>
    recorded.exchanges.filter(exchange => exchange.request.api.key === request.api.key && !played.has(exchange)),
  )
}

function byAnswer(a: Exchange, b: Exchange): number {
  return a.ms + a.tookMs - b.ms - b.tookMs
}

/** Whether two requests ask for the same, whatever bytes they hold. */
function isSameQuestion(a: WireMessage | undefined, b: WireMessage): boolean {
  return a !== undefined && a.api.key === b.api.key && textOf(a) === textOf(b)
}

// Each request is compared with many.
const texts = new WeakMap<WireMessage, string>()

function textOf(message: WireMessage): string {
  let text = texts.get(message)
  if (text === undefined) {
    text = JSON.stringify(message.body, (_, value: unknown) => {
      if (typeof value === 'bigint') return value.toString()
      return typeof value === 'object' && (value as { type?: unknown } | null)?.type === 'Buffer' ? '' : value
    })
    texts.set(message, text)
  }
  return text
}

/** A recorded response, for a request that is not the recorded one in everything. */
function adapted(response: WireMessage, request: WireMessage): unknown {
  switch (request.api.key) {
    case ConsumerGroupHeartbeat.key:
    case ShareGroupHeartbeat.key: {
      // Members choose their ids.
      const body = response.body as { readonly memberId: string | null }
      const { memberId } = request.body as { readonly memberId: string }
      return body.memberId === null || memberId === '' ? body : { ...body, memberId }
    }
    case Produce.key:
      return outcomesFor(response.body as ProduceResponse, request.body as ProduceRequest)
    default:
      return response.body
  }
}

/** Partitions are chosen by chance: one that the recording does not have gets the outcome of another. */
function outcomesFor(response: ProduceResponse, { topicData }: ProduceRequest): ProduceResponse {
  const outcomes = response.responses.flatMap(topic =>
    topic.partitionResponses.map(outcome => ({ topic, outcome, isGiven: false })),
  )
  const outcomeOf = ({ name = '', topicId = '' }: ProduceRequest['topicData'][number], index: number): Outcome => {
    const isOf = (each: (typeof outcomes)[number]): boolean =>
      (each.topic.topicId ?? '') === topicId && (each.topic.name ?? '') === name && each.outcome.index === index
    const found = outcomes.find(isOf) ?? outcomes.find(each => !each.isGiven) ?? outcomes[0]
    if (found === undefined) return { index, errorCode: 0, baseOffset: -1 }
    found.isGiven = true
    return { ...found.outcome, index }
  }
  const responses = topicData.map(topic => {
    const partitionResponses = topic.partitionData.map(({ index }) => outcomeOf(topic, index))
    return {
      name: topic.name ?? '',
      ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
      partitionResponses,
    }
  })
  return { ...response, responses }
}

type Outcome = ProduceResponse['responses'][number]['partitionResponses'][number]
