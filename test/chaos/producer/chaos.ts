/** Producers and a reader on three brokers that are broken at random; in the end everything is compared. */
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from 'ottla'
import type { KafkaCluster } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { Weather } from './faults.ts'
import { Complaints, Readings, type Numbered } from './ledger.ts'
import { OurReader, readWithJava, type Isolation, type Source } from './readers.ts'
import { kinds, Writer } from './writer.ts'

export interface Chaos {
  /** Three brokers, proxied. */
  readonly kafka: KafkaCluster
  readonly topic: string
  readonly seconds: number
  readonly seed: number
  /** Of each writer, per second. */
  readonly messages: number
  /** Between two faults on average, ms. */
  readonly faultEveryMs: number
  readonly tell: (line: string) => void
}

export interface ChaosResult {
  /** Empty when all is well. */
  readonly complaints: readonly string[]
  readonly complaintCount: number
  /** How often each fault has happened. */
  readonly faults: ReadonlyMap<string, number>
  /** A line about each writer. */
  readonly writers: readonly string[]
  readonly written: number
  readonly read: number
}

export interface Scribe {
  readonly reports: Numbered
  stop(): Promise<void>
  summary(): string
}

const PARTITIONS = 6
const CALM_MS = 500
const TELL_MS = 30_000

/** Idempotent producers with acks=all: no loss, no repeat, no other order, one report for each message. */
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
  begin: (complaints: Complaints) => readonly Scribe[],
): Promise<ChaosResult> {
  const { kafka, topic, seconds, seed, faultEveryMs, tell } = options
  await createTopic(kafka, topic)
  const complaints = new Complaints()
  const readings = new Readings('our reader', complaints)
  const source: Source = { kafka, topic, partitions: PARTITIONS, isolation }
  const reader = new OurReader(source, readings)
  const writers = begin(complaints)
  const weather = new Weather({
    kafka,
    topics: [{ topic, partitions: PARTITIONS }],
    random: seeded(seed),
    tell,
    everyMs: faultEveryMs,
  })
  const telling = setInterval(() => {
    tell(`${readings.count} messages read; ${complaints.count} complaints; ${writers.map(w => w.summary()).join('; ')}`)
  }, TELL_MS)
  // Something is in the log, and every producer has its id, before the first fault.
  await sleep(CALM_MS)
  await weather.blow(seconds * 1000 - CALM_MS)
  tell('the faults are over')
  await weather.clear()
  await Promise.all(writers.map(writer => writer.stop()))
  clearInterval(telling)
  tell('the writers have ended')
  await reader.finish(complaints)
  const reports = writers.map(writer => writer.reports)
  readings.check(reports)
  tell(`our reader has read ${readings.count} messages`)
  const javaReadings = new Readings('Java', complaints)
  await readWithJava(source, readings.count, javaReadings)
  javaReadings.check(reports)
  tell(`Java has read ${javaReadings.count} messages`)
  return {
    complaints: complaints.lines,
    complaintCount: complaints.count,
    faults: weather.counts,
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
