/** Configurations of topics. */
import { ErrorCode } from '@ottla/protocol'
import { brokerNameOf, type BrokerConfigs } from '../configs/broker-configs.ts'
import { configProblem, isListConfig, topicConfigType, topicDefaults } from '../configs/topic-configs.ts'
import { nameProblem } from '../topics/topics.ts'
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

export const topicConfigs: ConfigKind = {
  describe: (resourceName, context, { topics, brokerConfigs }) => {
    if (!context.allows('describe-configs', 'topic', resourceName)) {
      return problem(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
    }
    const topic = topics.get(resourceName)
    if (topic === undefined) return problem(unknownTopic(resourceName).errorCode)
    return [...topicDefaults].map(([name, defaultValue]) => {
      const own = topic.configs.get(name)
      const synonyms = [
        ...(own === undefined ? [] : [{ name, value: own, source: Source.topic }]),
        ...ofBrokers(name, context.brokerId, brokerConfigs),
      ]
      return {
        name,
        value: synonyms[0]?.value ?? defaultValue,
        readOnly: false,
        configSource: synonyms[0]?.source ?? Source.default,
        isSensitive: false,
        configType: topicConfigType(name),
        synonyms,
      }
    })
  },
  alter: (resourceName, configs, validateOnly, context, { topics }) => {
    if (!context.allows('alter-configs', 'topic', resourceName)) {
      return problem(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
    }
    if (resourceName === '') {
      return problem(ErrorCode.ERR_INVALID_REQUEST, 'Default topic resources are not allowed.')
    }
    const topic = topics.get(resourceName)
    if (topic === undefined) return unknownTopic(resourceName)
    const changes = new Map<string, string | null>()
    for (const { name, configOperation, value } of configs) {
      if (configOperation === DELETE) {
        changes.set(name, null)
        continue
      }
      if (configOperation > SUBTRACT) return problem(ErrorCode.ERR_UNKNOWN, `Unknown operation ${configOperation}`)
      if (configOperation !== SET && !isListConfig(name)) {
        return problem(ErrorCode.ERR_INVALID_CONFIG, `Config value append is not allowed for config key: ${name}`)
      }
      const changed = configOperation === SET ? value : changedList(topics.config(topic, name), configOperation, value)
      const refusal = configProblem(name, changed)
      if (refusal !== null) return problem(ErrorCode.ERR_INVALID_CONFIG, refusal)
      changes.set(name, changed)
    }
    if (validateOnly) return null
    for (const [name, value] of changes) {
      if (value === null) topic.configs.delete(name)
      else topic.configs.set(name, value)
    }
    topics.changed(topic)
    return null
  },
  own: (resourceName, _context, { topics }) => topics.get(resourceName)?.configs.keys() ?? [],
}

// The brokers' values for topics without one of their own.
function ofBrokers(config: string, brokerId: number, brokerConfigs: BrokerConfigs): DescribedConfig['synonyms'] {
  const name = brokerNameOf(config)
  if (name === undefined) return []
  const values = brokerConfigs.values(brokerId, name)
  return values.map(({ value, source }) => ({ name, value, source: Source[source] }))
}

function unknownTopic(name: string): Problem {
  const isName = nameProblem(name) === null
  const errorCode = isName ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_TOPIC_EXCEPTION
  return problem(errorCode, `The topic '${name}' does not exist.`)
}
