/** What each kind of client tells with its metrics (KIP-714). */
import type { MetricAttributes } from '@ottla/protocol'
import type { TelemetrySource } from './metrics.ts'

/** A producer's. */
export function producerTelemetry(settings: {
  readonly 'client.rack'?: string | undefined
  readonly 'transactional.id'?: string | undefined
}): TelemetrySource {
  const attributes = known({ client_rack: settings['client.rack'], transactional_id: settings['transactional.id'] })
  return { attributes: () => attributes, assignedPartitions: () => null }
}

/** That of a member of a group, or of a consumer without one. */
export function memberTelemetry(
  settings: {
    readonly 'client.rack'?: string | undefined
    readonly 'group.id'?: string | undefined
    readonly 'group.instance.id'?: string | undefined
  },
  memberId: () => string,
  assignedPartitions: () => number,
): TelemetrySource {
  const { 'client.rack': client_rack, 'group.id': group_id, 'group.instance.id': group_instance_id } = settings
  return {
    attributes: () => known({ client_rack, group_id, group_instance_id, group_member_id: memberId() }),
    assignedPartitions,
  }
}

function known(attributes: Readonly<Record<string, string | undefined>>): MetricAttributes {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== '') found[name] = value
  }
  return found
}
