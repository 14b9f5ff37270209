import { UsageError } from '../terminal/terminal.ts'
import { parsePartition } from './arguments.ts'
import { option, subject, verb, type AdminContext } from './session.ts'

export function addLeaders(admin: AdminContext): void {
  const leaders = subject(admin, 'leaders', 'Elect leaders of partitions')
  const options = [
    option('--all', 'all partitions that need an election'),
    option('--unclean', 'elect a replica that lacks records, which are lost; only for partitions without a leader'),
  ]
  verb<{ all?: boolean; unclean?: boolean }>(
    leaders,
    'elect [partitions...]',
    'Make the preferred replicas of partitions (TOPIC:PARTITION) their leaders',
    options,
    async (session, { all, unclean }, list) => {
      if ((all === true) === list.length > 0) throw new UsageError('name the partitions, or give --all')
      const wanted = all === true ? undefined : list.map(parsePartition)
      const client = await session.connect()
      const results = await client.electLeaders(unclean === true ? 'unclean' : 'preferred', wanted, session.limits)
      const needless = results.filter(r => r.error?.name === 'ERR_ELECTION_NOT_NEEDED')
      for (const r of needless) session.note(`${r.topic} [${r.partition}] needs no election`)
      session.printResults(
        results.filter(r => !needless.includes(r)),
        ({ topic, partition }) => `${topic} [${partition}] has a new leader`,
      )
    },
  )
}
