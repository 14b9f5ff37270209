/** Transactions while brokers are lost, instances are fenced and members of a group join and leave. */
import { AdminClient, Consumer, type ClientConfig } from 'ottla'
import { copy } from './copier.ts'
import { Ledger, type End, type Seen } from './ledger.ts'
import { Writer } from './writer.ts'

const quiet = (): void => undefined

export interface TransactionChaos {
  readonly bootstrapServers: string
  /** For names of topics, groups and ids. */
  readonly name: string
  readonly partitions: number
  readonly writers: number
  readonly copiers: number
  readonly protocol: 'classic' | 'consumer'
  readonly seconds: number
  /** Goes on until so many transactions are committed; 0 by default. */
  readonly leastCommitted?: number
  readonly random: () => number
  /** Breaks things and repairs them, until this time (ms since the epoch). */
  readonly disturb: (until: number) => Promise<void>
  readonly log: (line: string) => void
}

export interface TransactionChaosResult {
  readonly ends: Readonly<Record<End, number>>
  readonly messages: number
  readonly zombies: number
  readonly members: number
  /** The violations; empty if there are none. */
  readonly complaints: readonly string[]
}

const READ_WITHIN_MS = 60_000

export async function transactionChaos(options: TransactionChaos): Promise<TransactionChaosResult> {
  const { bootstrapServers, name, partitions, random, seconds, log } = options
  const client: ClientConfig = {
    'bootstrap.servers': bootstrapServers,
    'reconnect.backoff.ms': 20,
    'reconnect.backoff.max.ms': 500,
    'retry.backoff.ms': 20,
    'retry.backoff.max.ms': 200,
  }
  const topic = `${name}-original`
  const copied = `${name}-copy`
  const admin = new AdminClient(client, { logger: quiet })
  const created = await admin.createTopics(
    [topic, copied].map(each => ({ topic: each, numPartitions: partitions, replicationFactor: 3 })),
  )
  for (const { error } of created) if (error !== undefined) throw error
  const ledger = new Ledger()
  const writers = Array.from({ length: options.writers }, (_, i) => {
    const config = { ...client, 'transactional.id': `${name}-${i}`, 'linger.ms': 2 }
    return new Writer(i, { config, topic, partitions, ledger, random })
  })
  const copying = new AbortController()
  const copies = { client, group: `${name}-copiers`, from: topic, to: copied, protocol: options.protocol, random }
  const copiers = Array.from({ length: options.copiers }, (_, i) => copy(i, copies, copying.signal))
  const until = Date.now() + seconds * 1000
  const disturbing = options.disturb(until)
  const { leastCommitted = 0 } = options
  const isOver = (): boolean => Date.now() >= until && ledger.tally().committed >= leastCommitted
  await Promise.all(writers.map(writer => writer.run(isOver)))
  await disturbing
  const ends = ledger.tally()
  log(`${ends.committed} transactions committed, ${ends.aborted} aborted, ${ends.unknown} unknown`)
  const seen = await readUntil(client, topic, partitions, all => all.length >= ledger.committedMessages)
  const complaints = ledger.complaints(seen)
  const copySeen = await readUntil(client, copied, partitions, all => all.length >= seen.length)
  copying.abort()
  const members = (await Promise.all(copiers)).reduce((sum, one) => sum + one, 0)
  complaints.push(...differences(seen, copySeen))
  await admin.close()
  const zombies = writers.reduce((sum, writer) => sum + writer.zombies, 0)
  return { ends, messages: seen.length, zombies, members, complaints }
}

/** Reads all committed messages, again and again until `isEnough` or a timeout. */
async function readUntil(
  client: ClientConfig,
  topic: string,
  partitions: number,
  isEnough: (seen: readonly Seen[]) => boolean,
): Promise<Seen[]> {
  const deadline = Date.now() + READ_WITHIN_MS
  for (;;) {
    const seen = await readAll(client, topic, partitions)
    if (isEnough(seen) || Date.now() >= deadline) return seen
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

async function readAll(client: ClientConfig, topic: string, partitions: number): Promise<Seen[]> {
  const consumer = new Consumer({ ...client, 'enable.partition.eof': true, 'fetch.wait.max.ms': 50 }, { logger: quiet })
  const open = new Set(Array.from({ length: partitions }, (_, partition) => partition))
  const seen: Seen[] = []
  await consumer.assign([...open].map(partition => ({ topic, partition, offset: 0 })))
  while (open.size > 0) {
    const event = await consumer.poll(READ_WITHIN_MS)
    if (event === null) break
    if (event.type === 'partition-eof') open.delete(event.partition)
    if (event.type !== 'message') continue
    const { partition, offset, value } = event.message
    seen.push({ partition, offset, value: String(value) })
  }
  await consumer.close()
  return seen
}

/** How the copy differs: it must have the messages of each partition once each, in the same order. */
function differences(original: readonly Seen[], copied: readonly Seen[]): string[] {
  const complaints: string[] = []
  const per = (all: readonly Seen[]): Map<number, string[]> => {
    const values = new Map<number, string[]>()
    for (const { partition, value } of all) {
      const known = values.get(partition)
      if (known === undefined) values.set(partition, [value])
      else known.push(value)
    }
    return values
  }
  const there = per(copied)
  for (const [partition, values] of per(original)) {
    const mine = there.get(partition) ?? []
    const at = values.findIndex((value, i) => mine[i] !== value)
    const where = `partition ${partition} of the copy`
    if (at >= 0) complaints.push(`${where}: message ${at} is ${mine[at] ?? 'missing'} instead of ${values[at] ?? ''}`)
    if (mine.length > values.length) complaints.push(`${where}: ${mine.length - values.length} messages too many`)
  }
  return complaints
}
