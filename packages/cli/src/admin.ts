import type { Command } from 'commander'
import { addAcls } from './admin-acls.ts'
import { addCluster, addTokens } from './admin-cluster.ts'
import { addConfigs } from './admin-configs.ts'
import { addGroups } from './admin-groups.ts'
import { addRecords, addTransactions } from './admin-records.ts'
import { addReset } from './admin-reset.ts'
import { addSharedOptions, type AdminContext } from './admin-session.ts'
import { addLeaders, addPartitions, addTopics } from './admin-topics.ts'
import { addQuotas, addUsers } from './admin-users.ts'
import type { Terminal } from './terminal.ts'

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
