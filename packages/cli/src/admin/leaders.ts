import { UsageError } from '../terminal/terminal.ts'
import { parsePartition } from './arguments.ts'
import { option, subject, verb, type AdminContext } from './session.ts'

export function addLeaders(admin: AdminContext): void {
  const leaders = subject(admin, 'leaders', 'Elect leaders')
  const options = [
    option('--all', 'all partitions that need it'),
    option('--unclean', 'let a replica lead that lacks records, which are lost then; only where there is no leader'),
  ]
  verb<{ all?: boolean; unclean?: boolean }>(
    leaders,
    'elect [partitions...]',
    'Make the preferred replicas of partitions lead, written TOPIC:PARTITION',
    options,
    async (session, { all, unclean }, list) => {
      if ((all === true) === list.length > 0) throw new UsageError('name the partitions, or give --all')
      const wanted = all === true ? undefined : list.map(parsePartition)
      const client = await session.connect()
      const results = await client.electLeaders(unclean === true ? 'unclean' : 'preferred', wanted, session.limits)
      const needless = results.filter(r => r.error?.name === 'ERR_ELECTION_NOT_NEEDED')
      for (const r of needless) session.note(`${r.topic} [${r.partition}] has the leader that it should have`)
      session.done(
        results.filter(r => !needless.includes(r)),
        ({ topic, partition }) => `${topic} [${partition}] has a new leader`,
      )
    },
  )
}
