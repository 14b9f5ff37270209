import assert from 'node:assert/strict'
import { ErrorCode, Writer, type Api, type Decoded } from '@ottla/protocol'
import { Deadline } from '../../src/base/clock.ts'
import { systemThreads } from '../../src/base/threads.ts'
import type { AdminCall } from '../../src/admin/call.ts'
import type { ClusterRequestOptions, Target } from '../../src/cluster/cluster.ts'
import { isRetriable } from '../../src/cluster/retry.ts'
import type { Snapshot, TopicSnapshot } from '../../src/cluster/snapshot.ts'
import { KafkaError } from '../../src/errors.ts'
import { FakeClock } from '../base/fake-clock.ts'

const TRIES = 3

/** One request that an admin call has sent. */
export interface Sent {
  readonly target: Target
  readonly api: string
  /** As sent to the newest version allowed. */
  readonly body: unknown
}

/** Answers by API name; called once a request. */
export type Script = Record<string, (sent: Sent) => unknown>

/**
 * An admin call against a cluster that answers from a script. Each request is encoded at every version that may
 * be negotiated, so that a field an old broker does not know cannot slip in.
 */
export function scriptedCall(
  script: Script,
  options: { topics?: readonly TopicSnapshot[]; brokers?: readonly number[]; validateOnly?: boolean } = {},
): { call: AdminCall; sent: Sent[]; refreshed: string[][]; clock: FakeClock } {
  const sent: Sent[] = []
  const refreshed: string[][] = []
  const clock = new FakeClock()
  const snapshot: Snapshot = {
    clusterId: 'scripted',
    controllerId: 1,
    brokers: new Map((options.brokers ?? [1]).map(id => [id, { id, host: 'localhost', port: 9000 + id, rack: null }])),
    topics: new Map((options.topics ?? []).map(t => [t.topic, t])),
    topicNames: new Map(),
  }
  const cluster = {
    metadata: {
      snapshot,
      refresh: (topics: string[]) => {
        refreshed.push(topics)
        return Promise.resolve(snapshot)
      },
      requestRefresh: () => undefined,
    },
    coordinator: () => Promise.resolve({ id: 1, host: 'localhost', port: 9001, rack: null }),
    request: <Req, Res>(
      target: Target,
      api: Api<Req, Res>,
      body: Req | ((version: number) => Req),
      {
        minVersion = api.minVersion,
        maxVersion = api.maxVersion,
        errorOf,
      }: Pick<ClusterRequestOptions<Res>, 'minVersion' | 'maxVersion' | 'errorOf'>,
    ): Promise<Decoded<Res>> => {
      // A request body is an object, never a function.
      const at = (version: number): Req =>
        typeof body === 'function' ? (body as (version: number) => Req)(version) : body
      for (let v = Math.max(minVersion, api.minVersion); v <= maxVersion; v++) api.writeRequest(new Writer(), at(v), v)
      const request = { target, api: api.name, body: at(maxVersion) }
      const answer = script[api.name]
      if (answer === undefined) return Promise.reject(new Error(`the script has no answer for ${api.name}`))
      try {
        for (let attempt = 1; ; attempt++) {
          sent.push(request)
          const response = answer(request) as Decoded<Res> // the script writes whole responses
          // Like the cluster, which continues until the deadline.
          if (attempt === TRIES || !isRetriable(errorOf?.(response) ?? 0)) return Promise.resolve(response)
        }
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)))
      }
    },
  }
  const context = {
    clock,
    random: () => 0.5,
    threads: systemThreads,
    logger: { debug: () => undefined },
    settings: { 'retry.backoff.ms': 100, 'retry.backoff.max.ms': 1000, 'socket.timeout.ms': 60_000 },
  }
  // Only the parts above are used by the admin calls.
  const call = {
    context,
    cluster,
    deadline: Deadline.after(clock, 30_000),
    signal: undefined,
    operationTimeoutMs: 30_000,
    validateOnly: options.validateOnly ?? false,
  } as unknown as AdminCall
  return { call, sent, refreshed, clock }
}

/** A topic whose partitions have the leaders given. */
export function topicLedBy(topic: string, leaders: readonly number[], errorCode = 0): TopicSnapshot {
  return {
    topic,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    isInternal: false,
    errorCode,
    updatedAt: 0,
    doubtedSince: null,
    partitions: leaders.map((leader, partition) => ({
      partition,
      leader,
      leaderEpoch: 0,
      replicas: [leader],
      isr: [leader],
      offlineReplicas: [],
      errorCode: 0,
    })),
  }
}

/** Asserts that the arguments are refused, with a message that matches. */
export async function refused(promise: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
    assert.match(error.message, message)
    return true
  })
}
