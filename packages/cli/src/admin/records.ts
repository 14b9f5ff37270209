import { UsageError } from '../terminal/terminal.ts'
import { subject, verb, type AdminContext } from './session.ts'

export function addRecords(admin: AdminContext): void {
  const records = subject(admin, 'records', 'Delete records')
  verb(
    records,
    'delete <offsets...>',
    'Delete the records before offsets, written TOPIC:PARTITION:OFFSET; -1 deletes all records',
    [],
    async (session, _, list) => {
      const wanted = list.map(parseOffset)
      const client = await session.connect()
      const results = await client.deleteRecords(wanted, session.limits)
      session.printResults(results, r => `${r.topic} [${r.partition}] begins at ${r.lowWatermark}`)
    },
  )
}

function parseOffset(text: string): { topic: string; partition: number; offset: number } {
  const [, topic, partition, offset] = /^(.+):(\d+):(-1|\d+)$/.exec(text) ?? []
  if (topic === undefined) throw new UsageError(`${text}: write it as TOPIC:PARTITION:OFFSET`)
  return { topic, partition: Number(partition), offset: Number(offset) }
}
