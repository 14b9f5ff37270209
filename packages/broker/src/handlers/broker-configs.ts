/** Broker configurations (KIP-226). */
import { ErrorCode } from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { brokerConfigProblem, isListSetting, type BrokerSetting } from '../configs/broker-configs.ts'
import { startSettings } from './start-settings.ts'
import type { RequestContext } from './request.ts'
import {
  DELETE,
  SET,
  SUBTRACT,
  Source,
  changedList,
  problem,
  type ConfigKind,
  type DescribedConfig,
  type Problem,
} from './config-kind.ts'

/** The resource name is a broker id, which only that broker serves; an empty one stands for all brokers. */
export const brokerConfigs: ConfigKind = {
  describe: (name, context, stores) => {
    if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    const invalidId = name === '' ? null : brokerProblem(name, context)
    if (invalidId !== null) return invalidId
    const { brokerId } = context
    const { brokerConfigs: configs } = stores
    const found = name === '' ? configs.describeForAll() : configs.describe(brokerId, startSettings(brokerId, stores))
    return found.map(describedConfig)
  },
  alter: (resourceName, configs, validateOnly, context, { brokerConfigs: store }) => {
    const invalidId = resourceName === '' ? null : brokerProblem(resourceName, context)
    if (invalidId !== null) return invalidId
    const brokerId = resourceName === '' ? null : context.brokerId
    const changes = new Map<string, string | null>()
    for (const { name, configOperation, value } of configs) {
      if (configOperation > SUBTRACT) {
        return problem(ErrorCode.ERR_INVALID_REQUEST, `Unknown operation ${configOperation}`)
      }
      if (configOperation === DELETE) {
        changes.set(name, null)
        continue
      }
      if (configOperation !== SET && !isListSetting(name)) {
        return problem(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
      }
      const current = store.values(context.brokerId, name, new Map())[0]?.value ?? ''
      const changed = configOperation === SET ? (value ?? '') : changedList(current, configOperation, value)
      const refusal = brokerConfigProblem(name, changed, brokerId === null)
      if (refusal !== null) return problem(ErrorCode.ERR_INVALID_REQUEST, refusal)
      changes.set(name, changed)
    }
    if (!context.allows('alter-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    if (!validateOnly) for (const [name, value] of changes) store.set(brokerId, name, value)
    return null
  },
  own: (name, { brokerId }, { brokerConfigs: store }) => store.of(name === '' ? null : brokerId).keys(),
}

/** Why a resource name is not the id of this broker, or null. */
export function brokerProblem(name: string, { brokerId }: RequestContext): Problem | null {
  if (!/^[+-]?\d+$/.test(name)) {
    return problem(ErrorCode.ERR_INVALID_REQUEST, `Broker id must be an integer, but it is: ${name}`)
  }
  if (Number(name) === brokerId) return null
  return problem(ErrorCode.ERR_INVALID_REQUEST, `Unexpected broker id, expected ${brokerId}, but received ${name}`)
}

function describedConfig({ name, type, isReadOnly, isSensitive, values }: BrokerSetting): DescribedConfig {
  const [first] = values
  return {
    name,
    value: isSensitive ? null : (first?.value ?? null),
    readOnly: isReadOnly,
    configSource: Source[first?.source ?? 'default'],
    isSensitive,
    configType: type,
    synonyms: values.map(({ value, source }) => ({ name, value: isSensitive ? null : value, source: Source[source] })),
  }
}
