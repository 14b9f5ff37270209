import { Producer, type ClientOptions, type DeliveryReport, type ProducerConfig, type ProducerMessage } from 'ottla'
import { firstContact } from '../client/connect.ts'
import type { ClusterProperties } from '../client/options.ts'
import { POOL, makeKeys, makeValues } from './pool.ts'
import { mark, type BenchPlan, type BenchRun, type Mark } from './result.ts'

// Messages per turn of the event loop, so that the client's sockets get theirs.
const BURST = 500
const LATENCY_WARMUP = 200

/** Produces all messages asynchronously, with the client's own back-pressure, and awaits every report. */
export async function benchProduce(
  properties: ClusterProperties,
  plan: BenchPlan,
  shared: ClientOptions,
): Promise<BenchRun> {
  return withProducer(properties, plan, plan.lingerMs, shared, async (producer, message) => {
    const drive = plan.api === 'send' ? driveSend : driveCallbacks
    const { outstanding } = plan
    if (plan.warmup > 0) await drive(producer, message, 0, plan.warmup, outstanding)
    const start = mark()
    const { reports, errors } = await drive(producer, message, plan.warmup, plan.count, outstanding)
    const end = mark()
    return { start, end, errors, checksumOk: errors === 0 && reports === plan.count }
  })
}

/** Produces one message at a time, without linger. */
export async function benchLatency(
  properties: ClusterProperties,
  plan: BenchPlan,
  shared: ClientOptions,
): Promise<BenchRun> {
  return withProducer(properties, plan, 0, shared, async (producer, message) => {
    const latencies = new Float64Array(plan.count)
    const once = plan.api === 'send' ? sendOnce : produceOnce
    let start: Mark = mark()
    let errors = 0
    for (let i = 0; i < plan.count + LATENCY_WARMUP; i++) {
      if (i === LATENCY_WARMUP) start = mark()
      const from = performance.now()
      if (!(await once(producer, message(i)))) errors++
      if (i >= LATENCY_WARMUP) latencies[i - LATENCY_WARMUP] = (performance.now() - from) * 1000
    }
    return { start, end: mark(), errors, checksumOk: errors === 0, latencies }
  })
}

type MakeMessage = (number: number) => ProducerMessage

async function withProducer(
  properties: ClusterProperties,
  plan: BenchPlan,
  lingerMs: number,
  shared: ClientOptions,
  measure: (producer: Producer, message: MakeMessage) => Promise<BenchRun>,
): Promise<BenchRun> {
  const config: ProducerConfig = {
    'linger.ms': lingerMs,
    'batch.size': plan.batchBytes,
    'compression.codec': plan.compression,
    'enable.idempotence': plan.idempotent,
    'max.in.flight.requests.per.connection': 5,
    'queue.buffering.max.messages': plan.outstanding,
    // The configuration checks the value.
    acks: plan.acks as 'all' | `${number}`,
    ...properties,
  }
  const producer = new Producer(config, shared)
  try {
    await firstContact(producer)
    return await measure(producer, messageMaker(plan))
  } finally {
    await producer.close()
  }
}

function messageMaker(plan: BenchPlan): MakeMessage {
  const { topic } = plan
  const values = makeValues(plan.size)
  if (!plan.keys) return number => ({ topic, value: values[number % POOL] ?? null })
  const keys = makeKeys()
  return number => ({ topic, key: keys[number % POOL] ?? null, value: values[number % POOL] ?? null })
}

/** Produces messages `from` to `from + count - 1`, at most `outstanding` of them without a report. */
type Drive = (
  producer: Producer,
  message: MakeMessage,
  from: number,
  count: number,
  outstanding: number,
) => Promise<{ readonly reports: number; readonly errors: number }>

const driveCallbacks: Drive = async (producer, message, from, count, outstanding) => {
  let produced = 0
  let reports = 0
  let errors = 0
  let wakeAt = -1
  let wake = (): void => undefined
  const onReport = (report: DeliveryReport): void => {
    reports++
    if (report.error !== undefined) errors++
    if (reports === wakeAt) wake()
  }
  const reported = (number: number): Promise<void> =>
    new Promise(resolve => {
      wakeAt = number
      wake = resolve
    })
  const burst = (until: number): void => {
    for (; produced < until; produced++) producer.produce(message(from + produced), onReport)
  }
  while (produced < count) {
    const room = outstanding - (produced - reports)
    // Refill half of the queue at a time, not message by message.
    if (room === 0) await reported(produced - (outstanding >> 1))
    else {
      burst(Math.min(count, produced + Math.min(room, BURST)))
      await turn()
    }
  }
  if (reports < count) await reported(count)
  return { reports, errors }
}

const driveSend: Drive = async (producer, message, from, count, outstanding) => {
  let reports = 0
  let errors = 0
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const number = from + next++
      try {
        await producer.send(message(number))
      } catch {
        errors++
      }
      reports++
    }
  }
  await Promise.all(Array.from({ length: Math.min(outstanding, count) }, worker))
  return { reports, errors }
}

function produceOnce(producer: Producer, message: ProducerMessage): Promise<boolean> {
  return new Promise(resolve => producer.produce(message, report => resolve(report.error === undefined)))
}

async function sendOnce(producer: Producer, message: ProducerMessage): Promise<boolean> {
  try {
    await producer.send(message)
    return true
  } catch {
    return false
  }
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
