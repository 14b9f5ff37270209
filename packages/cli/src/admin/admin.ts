import type { Command } from 'commander'
import type { Terminal } from '../terminal/terminal.ts'
import { addAcls } from './acls.ts'
import { addCluster } from './cluster.ts'
import { addConfigs } from './configs.ts'
import { addReset } from './group-reset.ts'
import { addGroups } from './groups.ts'
import { addLeaders } from './leaders.ts'
import { addPartitions } from './partitions.ts'
import { addQuotas } from './quotas.ts'
import { addRecords } from './records.ts'
import { addSharedOptions, type AdminContext } from './session.ts'
import { addTokens } from './tokens.ts'
import { addTopics } from './topics.ts'
import { addTransactions } from './transactions.ts'
import { addUsers } from './users.ts'

export function addAdmin(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const parent = program
    .command('admin')
    .description('Administer a cluster: topics, configurations, groups, users, ...')
  addSharedOptions(parent)
  const context: AdminContext = { parent, terminal, exit }
  for (const add of [addTopics, addPartitions, addLeaders, addRecords, addConfigs]) add(context)
  addReset(addGroups(context))
  for (const add of [addAcls, addUsers, addQuotas, addTokens, addTransactions, addCluster]) add(context)
}
