import type { Column } from '../terminal/table.ts'
import { UsageError } from '../terminal/terminal.ts'
import { parseIds, parsePair, parsePartition } from './arguments.ts'
import { lines, option, subject, verb, type AdminContext } from './session.ts'

export function addPartitions(admin: AdminContext): void {
  const partitions = subject(admin, 'partitions', 'Add partitions, and move them between brokers')
  const dryRun = option('--dry-run', 'let the broker check it, and add nothing')
  verb<{ dryRun?: boolean }>(
    partitions,
    'grow <topic> <count>',
    'Add partitions up to this number; keys go to other partitions from then on',
    [dryRun],
    async (session, options, [topic = '', count = '']) => {
      if (!/^[1-9]\d*$/.test(count)) throw new UsageError(`${count}: the number of partitions must be a whole number`)
      const client = await session.connect()
      const wanted = [{ topic, increaseTo: Number(count) }]
      const validateOnly = options.dryRun === true
      const results = await client.createPartitions(wanted, { ...session.limits, validateOnly })
      session.printResults(results, () =>
        validateOnly ? `${topic} could have ${count} partitions` : `${topic} has ${count} partitions`,
      )
    },
  )

  verb(
    partitions,
    'move <moves...>',
    'Move partitions in the background, written TOPIC:PARTITION=1,2,3 with the preferred leader first',
    [],
    async (session, _, moves) => {
      const wanted = moves.map(text => {
        const [where, brokers] = parsePair(text)
        return { ...parsePartition(where), replicas: parseIds(brokers, text) }
      })
      const client = await session.connect()
      const results = await client.alterPartitionReassignments(wanted, session.limits)
      session.printResults(results, ({ topic, partition }) => `${topic} [${partition}] is being moved`)
    },
  )

  verb(partitions, 'cancel <partitions...>', 'Cancel moves, written TOPIC:PARTITION', [], async (session, _, list) => {
    const wanted = list.map(text => ({ ...parsePartition(text), replicas: null }))
    const client = await session.connect()
    const results = await client.alterPartitionReassignments(wanted, session.limits)
    session.printResults(results, ({ topic, partition }) => `${topic} [${partition}] stays where it was`)
  })

  verb(partitions, 'moving', 'List moves in progress', [], async session => {
    const client = await session.connect()
    const moving = await client.listPartitionReassignments(undefined, session.limits)
    const columns = [
      { title: 'topic', cell: m => m.topic },
      { title: 'partition', cell: m => m.partition, right: true },
      { title: 'replicas', cell: m => m.replicas.join(',') },
      { title: 'adding', cell: m => m.addingReplicas.join(',') },
      { title: 'removing', cell: m => m.removingReplicas.join(',') },
    ] satisfies Column<(typeof moving)[number]>[]
    session.emit(moving, () => lines(moving, columns, 'no partition is being moved'))
  })
}
