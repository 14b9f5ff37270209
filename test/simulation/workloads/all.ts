/** The workloads by name. */
import type { Workload } from '../world.ts'
import { access } from './access.ts'
import { atoms } from './atoms.ts'
import { copies } from './copies.ts'
import { groups } from './groups.ts'
import { migration } from './migration.ts'
import { moves } from './moves.ts'
import { prompt } from './prompt.ts'
import { retention } from './retention.ts'
import { share } from './share.ts'
import { topics } from './topics.ts'
import { writes } from './writes.ts'

export const workloads: Readonly<Record<string, Workload>> = {
  access,
  atoms,
  copies,
  groups,
  migration,
  moves,
  prompt,
  retention,
  share,
  topics,
  writes,
}
