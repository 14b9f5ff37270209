import type { Command } from 'commander'
import { AdminClient, type TopicPartition } from 'ottla'
import { firstContact } from '../client/connect.ts'
import { explain } from '../client/explain.ts'
import {
  addClusterOptions,
  clientOptions,
  clusterProperties,
  requireBrokers,
  type ClusterOptions,
} from '../client/options.ts'
import { collect } from '../terminal/parsers.ts'
import { DONE, FAILED, UsageError, type Terminal } from '../terminal/terminal.ts'

interface QueryOptions extends ClusterOptions {
  readonly topic: readonly string[]
  readonly json?: boolean
}

type Spec = Parameters<AdminClient['listOffsets']>[0][number]['spec']

export function addQuery(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const command = program
    .command('query')
    .description('Find offsets by time (kcat -Q)')
    .requiredOption(
      '-t, --topic <topic:partition:time>',
      'time in ms since the epoch, -1 for the end, -2 for the beginning; repeatable',
      collect,
      [],
    )
    .option('-J, --json', 'print a JSON object per partition')
  addClusterOptions(command).action(async (options: QueryOptions) => {
    exit(await query(options, terminal))
  })
}

async function query(options: QueryOptions, terminal: Terminal): Promise<number> {
  const asked = options.topic.map(parseQuery)
  const config = requireBrokers(clusterProperties(options))
  const shared = clientOptions(terminal, options)
  const admin = new AdminClient(config, shared)
  try {
    await firstContact(admin)
    let status = DONE
    for (const { topic, partition, offset, error } of await admin.listOffsets(asked)) {
      if (error !== undefined) {
        terminal.stderr.write(`ottla query: ${explain(error)}\n`)
        status = FAILED
      } else if (options.json === true) {
        terminal.stdout.write(`${JSON.stringify({ topic, partition, offset })}\n`)
      } else {
        terminal.stdout.write(`${topic} [${partition}] offset ${offset}\n`)
      }
    }
    return status
  } finally {
    await admin.close()
    shared.record?.close()
  }
}

/** @throws UsageError */
export function parseQuery(text: string): TopicPartition & { spec: Spec } {
  const match = /^(.+):(\d+):(-?\d+)$/.exec(text)
  const [, topic, partition, time] = match ?? []
  if (topic === undefined) throw new UsageError(`-t ${text}: write it as topic:partition:time`)
  return { topic, partition: Number(partition), spec: specOf(Number(time), text) }
}

function specOf(time: number, text: string): Spec {
  if (time === -1) return 'latest'
  if (time === -2) return 'earliest'
  if (time < 0)
    throw new UsageError(`-t ${text}: the time must be in ms since the epoch, or -1 (end), or -2 (beginning)`)
  return { timestamp: time }
}
