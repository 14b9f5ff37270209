/** Group configurations. A group may be configured before it exists, so no group is unknown. */
import { ErrorCode } from '@ottla/protocol'
import { brokerSettingType } from '../configs/broker-configs.ts'
import { BOOLEAN, INT, STRING } from '../configs/broker-settings.ts'
import { brokerNameOf, groupConfigDefaults, groupConfigProblem } from '../groups/configs.ts'
import { DELETE, SET, Source, problem, type ConfigKind } from './config-kind.ts'

export const groupConfigs: ConfigKind = {
  describe: (groupId, context, { groups }) => {
    if (!context.allows('describe-configs', 'group', groupId)) return problem(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
    if (groupId === '') return problem(ErrorCode.ERR_INVALID_REQUEST, 'Group name must not be empty')
    const own = groups.configs.of(groupId)
    return [...groupConfigDefaults].map(([name, defaultValue]) => {
      const value = own.get(name)
      const isOwn = value !== undefined
      const ofBrokers = brokerNameOf(name)
      const given = groups.configs.ofBrokers(name)
      const configType = brokerSettingType(ofBrokers) ?? typeOf(defaultValue)
      const source = given === undefined ? Source.default : Source.start
      return {
        name,
        value: value ?? given ?? defaultValue,
        readOnly: false,
        configSource: isOwn ? Source.group : source,
        isSensitive: false,
        configType,
        synonyms: [
          ...(isOwn ? [{ name, value, source: Source.group }] : []),
          ...(given === undefined ? [] : [{ name: ofBrokers, value: given, source }]),
          {
            name: brokerSettingType(ofBrokers) === undefined ? name : ofBrokers,
            value: defaultValue,
            source: Source.default,
          },
        ],
      }
    })
  },
  alter: (groupId, configs, validateOnly, context, { groups }) => {
    if (!context.allows('alter-configs', 'group', groupId)) return problem(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
    if (groupId === '') return problem(ErrorCode.ERR_INVALID_REQUEST, 'Default group resources are not allowed.')
    for (const { name, configOperation, value } of configs) {
      if (configOperation !== SET && configOperation !== DELETE) {
        return problem(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
      }
      const refusal = groupConfigProblem(name, configOperation === DELETE ? null : value)
      if (refusal !== null) return problem(ErrorCode.ERR_INVALID_CONFIG, refusal)
    }
    if (validateOnly) return null
    for (const { name, configOperation, value } of configs) {
      groups.configs.set(groupId, name, configOperation === DELETE ? null : value)
    }
    return null
  },
  own: (groupId, _context, { groups }) => groups.configs.of(groupId).keys(),
}

// For a setting that brokers do not have.
function typeOf(defaultValue: string): number {
  if (/^(true|false)$/.test(defaultValue)) return BOOLEAN
  return /^\d+$/.test(defaultValue) ? INT : STRING
}
