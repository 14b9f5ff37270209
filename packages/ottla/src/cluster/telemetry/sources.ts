/** What each kind of client tells with its metrics (KIP-714). */
import type { MetricAttributes } from '@ottla/protocol'
import type { TelemetrySource } from './metrics.ts'
import { consumerMetrics, producerMetrics, shareConsumerMetrics } from './standard.ts'

/** A producer's. */
export function producerTelemetry(settings: {
  readonly 'client.rack'?: string | undefined
  readonly 'transactional.id'?: string | undefined
}): TelemetrySource {
  const attributes = known({ client_rack: settings['client.rack'], transactional_id: settings['transactional.id'] })
  return { family: 'producer', attributes: () => attributes, metrics: producerMetrics }
}

interface MemberSettings {
  readonly 'client.rack'?: string | undefined
  readonly 'group.id'?: string | undefined
  readonly 'group.instance.id'?: string | undefined
}

/** That of a member of a group, or of a consumer without one. */
export function consumerTelemetry(
  settings: MemberSettings,
  memberId: () => string,
  assignedPartitions: () => number,
): TelemetrySource {
  return member(settings, memberId, counted => consumerMetrics(counted, assignedPartitions()))
}

/** A share consumer's. */
export function shareConsumerTelemetry(settings: MemberSettings, memberId: () => string): TelemetrySource {
  return member(settings, memberId, shareConsumerMetrics)
}

/** That of any other client. */
export const adminTelemetry: TelemetrySource = { family: 'admin.client', attributes: () => ({}), metrics: () => [] }

function member(
  settings: MemberSettings,
  memberId: () => string,
  metrics: TelemetrySource['metrics'],
): TelemetrySource {
  const { 'client.rack': client_rack, 'group.id': group_id, 'group.instance.id': group_instance_id } = settings
  let group_member_id = ''
  const attributes = (): MetricAttributes => {
    // The last push comes after the member has left.
    group_member_id = memberId() || group_member_id
    return known({ client_rack, group_id, group_instance_id, group_member_id })
  }
  return { family: 'consumer', attributes, metrics }
}

function known(attributes: Readonly<Record<string, string | undefined>>): MetricAttributes {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== '') found[name] = value
  }
  return found
}
