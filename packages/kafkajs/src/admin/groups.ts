/** The calls of an admin client that concern groups. */
import { KafkaJSDeleteGroupsError } from '../errors.ts'
import { toFinalError } from '../translate/errors.ts'
import { GroupDescriber } from '../translate/groups.ts'
import { protocolError } from '../translate/protocol-errors.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { DeleteGroupsResult, GroupOverview } from '../types/admin.ts'
import type { GroupDescriptions } from '../types/consumer.ts'
import { invalid, requireArray } from './arguments.ts'

export async function listGroups(admin: SharedAdmin): Promise<{ groups: GroupOverview[] }> {
  const { groups, errors } = await admin.call(client => client.listGroups())
  const [error] = errors
  // Some are missing then.
  if (error !== undefined) throw toFinalError(error, admin.plan)
  return { groups: groups.map(({ groupId, protocol }) => ({ groupId, protocolType: protocol })) }
}

export async function describeGroups(admin: SharedAdmin, groupIds: readonly string[]): Promise<GroupDescriptions> {
  const describer = new GroupDescriber(await admin.client(), admin.plan)
  return { groups: await Promise.all(groupIds.map(groupId => describer.describe(groupId))) }
}

export async function deleteGroups(admin: SharedAdmin, groupIds: readonly string[]): Promise<DeleteGroupsResult[]> {
  const ids = new Set(requireArray(groupIds, 'groupIds'))
  for (const id of ids) {
    const given: unknown = id
    if (typeof given !== 'string') throw invalid(`Invalid groupId ${String(given)}`)
  }
  if (ids.size === 0) return []
  const results = await admin.call(client => client.deleteConsumerGroups([...ids]))
  const errors = results.flatMap(({ groupId, error }) =>
    error === undefined ? [] : [{ groupId, errorCode: error.code, error: protocolError(error) }],
  )
  if (errors.length > 0) throw new KafkaJSDeleteGroupsError('Error in DeleteGroups', errors)
  return results.map(({ groupId }) => ({ groupId, errorCode: 0 }))
}
