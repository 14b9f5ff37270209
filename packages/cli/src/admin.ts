import type { Command } from 'commander'
import { addConfigs } from './admin-configs.ts'
import { addSharedOptions, type AdminContext } from './admin-session.ts'
import { addLeaders, addPartitions, addTopics } from './admin-topics.ts'
import type { Terminal } from './terminal.ts'

export function addAdmin(program: Command, terminal: Terminal, exit: (status: number) => void): void {
  const parent = program.command('admin').description('Administer a cluster: topics, configs, groups, acls, ...')
  addSharedOptions(parent)
  const context: AdminContext = { parent, terminal, exit }
  for (const add of [addTopics, addPartitions, addLeaders, addConfigs]) add(context)
}
