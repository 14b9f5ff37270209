import { Producer, type DeliveryReport, type ProducerConfig, type ProducerMessage } from 'ottla'
import { firstContact } from '../client/connect.ts'
import type { Properties } from '../client/options.ts'
import { POOL, makeKeys, makeValues } from './pool.ts'
import { mark, type BenchPlan, type BenchRun, type Mark } from './result.ts'

// The loop lets the client's sockets have a turn after so many messages.
const TURN = 500
const LATENCY_UNMEASURED = 200

type Logger = (level: number, facility: string, message: string) => void

/** All messages asynchronously, with the library's own back-pressure; every report is awaited. */
export async function benchProduce(properties: Properties, plan: BenchPlan, logger: Logger): Promise<BenchRun> {
  return withProducer(properties, plan, plan.lingerMs, logger, async (producer, message) => {
    const drive = plan.api === 'send' ? driveSend : driveCallbacks
    const { outstanding } = plan
    if (plan.warmup > 0) await drive(producer, message, 0, plan.warmup, outstanding)
    const start = mark()
    const { reports, errors } = await drive(producer, message, plan.warmup, plan.count, outstanding)
    const end = mark()
    return { start, end, errors, checksumOk: errors === 0 && reports === plan.count }
  })
}

/** One message in flight at a time, no linger. */
export async function benchLatency(properties: Properties, plan: BenchPlan, logger: Logger): Promise<BenchRun> {
  return withProducer(properties, plan, 0, logger, async (producer, message) => {
    const latencies = new Float64Array(plan.count)
    const once = plan.api === 'send' ? sendOnce : produceOnce
    let start: Mark = mark()
    let errors = 0
    for (let i = 0; i < plan.count + LATENCY_UNMEASURED; i++) {
      if (i === LATENCY_UNMEASURED) start = mark()
      const from = performance.now()
      if (!(await once(producer, message(i)))) errors++
      if (i >= LATENCY_UNMEASURED) latencies[i - LATENCY_UNMEASURED] = (performance.now() - from) * 1000
    }
    return { start, end: mark(), errors, checksumOk: errors === 0, latencies }
  })
}

type MakeMessage = (number: number) => ProducerMessage

async function withProducer(
  properties: Properties,
  plan: BenchPlan,
  lingerMs: number,
  logger: Logger,
  measure: (producer: Producer, message: MakeMessage) => Promise<BenchRun>,
): Promise<BenchRun> {
  const config: ProducerConfig = {
    'linger.ms': lingerMs,
    'batch.size': plan.batchBytes,
    'compression.codec': plan.compression,
    'enable.idempotence': plan.idempotent,
    'max.in.flight.requests.per.connection': 5,
    'queue.buffering.max.messages': plan.outstanding,
    // What it may be is the configuration's to check.
    acks: plan.acks as 'all' | `${number}`,
    ...properties,
  }
  const producer = new Producer(config, { logger })
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

interface Outcome {
  readonly reports: number
  readonly errors: number
}

async function driveCallbacks(
  producer: Producer,
  message: MakeMessage,
  from: number,
  count: number,
  outstanding: number,
): Promise<Outcome> {
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
    // Half of the queue is refilled at a time rather than a message at a time.
    if (room === 0) await reported(produced - (outstanding >> 1))
    else {
      burst(Math.min(count, produced + Math.min(room, TURN)))
      await turn()
    }
  }
  if (reports < count) await reported(count)
  return { reports, errors }
}

async function driveSend(
  producer: Producer,
  message: MakeMessage,
  from: number,
  count: number,
  outstanding: number,
): Promise<Outcome> {
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
