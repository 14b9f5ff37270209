/** Subscriptions to client metrics, as resources with a configuration (KIP-714). */
import { ErrorCode } from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { subscriptionDefaults, subscriptionProblem } from '../telemetry/client-metrics.ts'
import { DELETE, SET, SUBTRACT, Source, problem, type ConfigKind } from './config-kind.ts'

const INT = 3
const LIST = 7

export const clientMetricsConfigs: ConfigKind = {
  describe: (subscription, context, { clientMetrics }) => {
    if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    if (subscription === '') return problem(ErrorCode.ERR_INVALID_REQUEST, 'A subscription has a name.')
    const own = clientMetrics.of(subscription)
    return [...subscriptionDefaults].map(([name, defaultValue]) => {
      const value = own.get(name)
      const source = Source['client-metrics']
      return {
        name,
        value: value ?? defaultValue,
        readOnly: false,
        configSource: value === undefined ? Source.default : source,
        isSensitive: false,
        configType: name === 'interval.ms' ? INT : LIST,
        synonyms: value === undefined ? [] : [{ name, value, source }],
      }
    })
  },
  alter: (subscription, configs, validateOnly, context, { clientMetrics }) => {
    if (!context.allows('alter-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    if (subscription === '') return problem(ErrorCode.ERR_INVALID_REQUEST, 'A subscription has a name.')
    for (const { name, configOperation, value } of configs) {
      if (configOperation > SUBTRACT) return problem(ErrorCode.ERR_UNKNOWN)
      if (configOperation === DELETE) continue
      if (configOperation !== SET) {
        return problem(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
      }
      const refusal = subscriptionProblem(name, value ?? '')
      if (refusal !== null) {
        const errorCode = refusal.isValue ? ErrorCode.ERR_INVALID_CONFIG : ErrorCode.ERR_INVALID_REQUEST
        return problem(errorCode, refusal.message)
      }
    }
    if (validateOnly) return null
    for (const { name, configOperation, value } of configs) {
      clientMetrics.set(subscription, name, configOperation === DELETE ? null : value)
    }
    return null
  },
  own: (subscription, _context, { clientMetrics }) => clientMetrics.of(subscription).keys(),
}
