import { errorName, type CompressionCodec } from '@ottla/protocol'
import { systemThreads } from '../../src/base/threads.ts'
import { resolveConfig, type ProducerConfig } from '../../src/config/resolve.ts'
import { EventHub } from '../../src/observe/events.ts'
import { Logger } from '../../src/observe/logger.ts'
import type { AnyMessage } from '../../src/producer/queue/message.ts'
import { ProducerIdentity, type RequestId } from '../../src/producer/idempotence/producer-identity.ts'
import { Pipeline } from '../../src/producer/pipeline.ts'
import { pipelineSettings } from '../../src/producer/settings.ts'
import type { DeliveryReport, Partitioner } from '../../src/types.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { FakeCluster, type FakeRequest } from './fake-cluster.ts'
import { seeded } from './seeded.ts'

/** A pipeline on a fake cluster and a fake clock. */
export interface World {
  readonly cluster: FakeCluster
  readonly clock: FakeClock
  readonly pipeline: Pipeline
  readonly events: EventHub
  /** Every report so far, in the order made. */
  readonly reports: DeliveryReport[]
  readonly logs: string[]
  /** Requests for producer ids, answered by the test. */
  readonly ids: {
    readonly answer: (errorCode: number, producerId: bigint, producerEpoch: number) => void
    readonly reject: (error: Error) => void
  }[]
  readonly fatals: string[]
  readonly put: (message: AnyMessage) => void
  /** Values of messages by the code of their reports: 0 for delivered ones. */
  readonly outcomes: () => Record<string, string[]>
  /** Moves the time, then returns the next request. */
  readonly nextAfter: (ms: number) => Promise<FakeRequest>
}

/** @param codec instead of the one that is configured */
export function makeWorld(
  config: Partial<ProducerConfig> = {},
  partitioner?: Partitioner,
  codec?: CompressionCodec,
): World {
  const cluster = new FakeCluster()
  const clock = new FakeClock()
  const logs: string[] = []
  const reports: DeliveryReport[] = []
  const events = new EventHub(() => undefined)
  const logger = new Logger((level, facility, text) => void logs.push(`${level} ${facility} ${text}`), 6, new Set())
  const { settings } = resolveConfig('producer', { 'bootstrap.servers': 'localhost:9092', ...config })
  const ids: World['ids'] = []
  const fatals: string[] = []
  const ask: RequestId = () =>
    new Promise((resolve, reject) => {
      const answer = (errorCode: number, id: bigint, epoch: number): void =>
        resolve({ errorCode, producerId: id, producerEpoch: epoch })
      ids.push({ answer, reject })
    })
  const onFatal = (code: number, message: string): void => void fatals.push(`${errorName(code)} ${message}`)
  const isGapless = settings['enable.gapless.guarantee']
  const client = {
    name: 'test#producer-1',
    kind: 'producer',
    clientId: 'test',
    groupId: null,
    transactionalId: null,
  } as const
  const context = { client, clock, random: seeded(42), threads: systemThreads, logger, events }
  const resolved = pipelineSettings(settings, partitioner, null)
  const pipeline = new Pipeline(
    cluster,
    codec === undefined ? resolved : { ...resolved, sender: { ...resolved.sender, codec } },
    context,
    settings['enable.idempotence']
      ? onReady => new ProducerIdentity(ask, isGapless, clock, logger, { onReady, onFatal })
      : null,
  )
  pipeline.prepare()
  return {
    cluster,
    clock,
    pipeline,
    events,
    reports,
    logs,
    ids,
    fatals,
    // Tests give bytes; `put` checks that they do.
    put: message =>
      void pipeline.put(message, message.key as string, message.value as string, report => void reports.push(report)),
    outcomes() {
      const byName: Record<string, string[]> = {}
      for (const { value, error } of reports) (byName[error?.name ?? 'ok'] ??= []).push(String(value))
      return byName
    },
    async nextAfter(ms) {
      await clock.advance(ms)
      return cluster.next()
    },
  }
}

export { settle }
