/** The readers: this project's consumer during the run, Java's after it. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient, Consumer, OFFSET_BEGINNING, type TopicPartitionOffset } from 'ottla'
import { javaCommand } from '../../harness/java.ts'
import type { KafkaCluster } from '../../harness/kafka.ts'
import type { Complaints, Readings } from './ledger.ts'

const quiet = (): void => undefined
const TIMEOUT_MS = 120_000

export type Isolation = 'read_committed' | 'read_uncommitted'

export interface Source {
  readonly kafka: KafkaCluster
  readonly topic: string
  readonly partitions: number
  readonly isolation: Isolation
}

/** The end of each partition for this isolation level. */
async function ends({ kafka, topic, partitions, isolation }: Source): Promise<number[]> {
  await using admin = new AdminClient({ 'bootstrap.servers': kafka.plainBootstrapServers }, { logger: quiet })
  const queries = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, spec: 'latest' as const }))
  const found = await admin.listOffsets(queries, { isolationLevel: isolation, requestTimeoutMs: TIMEOUT_MS })
  return found.map(({ offset, error }) => {
    if (error !== undefined) throw error
    return offset
  })
}

/** Reads all partitions from the beginning, during all faults. */
export class OurReader {
  readonly #source: Source
  readonly #readings: Readings
  readonly #consumer: Consumer
  readonly #reading: Promise<void>
  #failure: unknown = null

  constructor(source: Source, readings: Readings) {
    this.#source = source
    this.#readings = readings
    this.#consumer = new Consumer(
      {
        'bootstrap.servers': source.kafka.bootstrapServers,
        'group.id': `reader of ${source.topic}`,
        'enable.auto.commit': false,
        'isolation.level': source.isolation,
        'socket.timeout.ms': 3000,
        'socket.connection.setup.timeout.ms': 2000,
        'reconnect.backoff.max.ms': 1000,
        'fetch.error.backoff.ms': 100,
      },
      { logger: quiet },
    )
    this.#reading = this.#read().catch((error: unknown) => {
      this.#failure = error
    })
  }

  /** Resolves when it has reached the current end of every partition, or timed out. */
  async finish(complaints: Complaints): Promise<void> {
    const last = await ends(this.#source)
    const deadline = Date.now() + TIMEOUT_MS
    let behind: TopicPartitionOffset | undefined
    do {
      const positions = this.#consumer.position()
      behind = positions.find(({ partition, offset }) => offset < (last[partition] ?? 0))
      if (behind !== undefined) await sleep(100)
    } while (behind !== undefined && Date.now() < deadline && this.#failure === null)
    if (behind !== undefined) {
      const { partition, offset } = behind
      complaints.add(
        `our reader stopped at ${partition}:${offset} of ${last[partition] ?? 0}: ${String(this.#failure)}`,
      )
    }
    await this.#consumer.close()
    await this.#reading
  }

  async #read(): Promise<void> {
    const { topic, partitions } = this.#source
    const from = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: OFFSET_BEGINNING }))
    await this.#consumer.assign(from)
    for await (const { partition, offset, value } of this.#consumer) {
      this.#readings.add(partition, offset, String(value))
    }
  }
}

/** Reads `count` messages from the beginning with Java's console consumer. */
export async function readWithJava(source: Source, count: number, readings: Readings): Promise<void> {
  const { kafka, topic, isolation } = source
  const [command, args] = await javaCommand(kafka.version, 'org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', kafka.plainBootstrapServers, '--topic', topic, '--from-beginning'],
    ...['--isolation-level', isolation, '--timeout-ms', '20000', '--max-messages', String(count)],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
  ])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += String(chunk)
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line)
    if (match === null) throw new Error(`unexpected output of Java's console consumer: ${line}`)
    const [, partition, offset, value = ''] = match
    readings.add(Number(partition), Number(offset), value)
  }
  await ended
  if (!errors.includes(`Processed a total of ${readings.count} messages`)) throw new Error(errors.slice(-2000))
}
