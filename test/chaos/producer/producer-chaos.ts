/** Producers and a reader on three brokers with random faults; in the end all messages and reports are compared. */
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from 'ottla'
import type { KafkaCluster } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { FaultInjector } from './fault-injector.ts'
import { Complaints, Readings, type Numbered } from './ledger.ts'
import { OurReader, readWithJava, type Isolation, type Source } from './readers.ts'
import { kinds, Writer } from './writer.ts'

export interface Chaos {
  /** Three brokers, proxied. */
  readonly kafka: KafkaCluster
  readonly topic: string
  readonly seconds: number
  readonly seed: number
  /** Messages per second of each writer. */
  readonly messages: number
  /** Average time between two faults, ms. */
  readonly faultEveryMs: number
  readonly log: (line: string) => void
}

export interface ChaosResult {
  /** The violations; empty if there are none. */
  readonly complaints: readonly string[]
  readonly complaintCount: number
  /** The number of times of each fault. */
  readonly faults: ReadonlyMap<string, number>
  /** A line about each writer. */
  readonly writers: readonly string[]
  readonly written: number
  readonly read: number
}

export interface RunningWriter {
  readonly reports: Numbered
  stop(): Promise<void>
  summary(): string
}

const PARTITIONS = 6
const CALM_MS = 500
const LOG_MS = 30_000

/** Idempotent producers with acks=all: nothing is lost, duplicated or reordered, each message has one report. */
export function idempotentChaos(options: Chaos): Promise<ChaosResult> {
  const { kafka, topic, messages } = options
  const random = seeded(options.seed ^ 0x5eed)
  return chaos(options, 'read_uncommitted', complaints =>
    kinds.map(kind => {
      return new Writer(kind, {
        bootstrapServers: kafka.bootstrapServers,
        topic,
        messages,
        random,
        complaints,
      })
    }),
  )
}

/** @param begin - starts the writers */
export async function chaos(
  options: Chaos,
  isolation: Isolation,
  begin: (complaints: Complaints) => readonly RunningWriter[],
): Promise<ChaosResult> {
  const { kafka, topic, seconds, seed, faultEveryMs, log } = options
  await createTopic(kafka, topic)
  const complaints = new Complaints()
  const readings = new Readings('our reader', complaints)
  const source: Source = { kafka, topic, partitions: PARTITIONS, isolation }
  const reader = new OurReader(source, readings)
  const writers = begin(complaints)
  const faults = new FaultInjector({
    kafka,
    topics: [{ topic, partitions: PARTITIONS }],
    random: seeded(seed),
    log,
    everyMs: faultEveryMs,
  })
  const logging = setInterval(() => {
    log(`${readings.count} messages read; ${complaints.count} complaints; ${writers.map(w => w.summary()).join('; ')}`)
  }, LOG_MS)
  // Before the first fault, every producer gets its id and writes something.
  await sleep(CALM_MS)
  await faults.run(seconds * 1000 - CALM_MS)
  log('the faults are over')
  await faults.stop()
  await Promise.all(writers.map(writer => writer.stop()))
  clearInterval(logging)
  log('the writers have ended')
  await reader.finish(complaints)
  const reports = writers.map(writer => writer.reports)
  readings.check(reports)
  log(`our reader has read ${readings.count} messages`)
  const javaReadings = new Readings('Java', complaints)
  await readWithJava(source, readings.count, javaReadings)
  javaReadings.check(reports)
  log(`Java has read ${javaReadings.count} messages`)
  return {
    complaints: complaints.lines,
    complaintCount: complaints.count,
    faults: faults.counts,
    writers: writers.map(writer => writer.summary()),
    written: reports.reduce((sum, { count }) => sum + count, 0),
    read: readings.count,
  }
}

async function createTopic(kafka: KafkaCluster, topic: string): Promise<void> {
  await using admin = new AdminClient({ 'bootstrap.servers': kafka.plainBootstrapServers }, { logger: () => undefined })
  const [created] = await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 3 }])
  if (created?.error !== undefined) throw created.error
}
