/** Log levels of a broker (KIP-412). They can be set, but nothing is logged. */
import { ErrorCode } from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { brokerProblem } from './broker-configs.ts'
import { DELETE, SET, SUBTRACT, Source, problem, type ConfigKind } from './config-kind.ts'

const ROOT = 'root'
const levels: readonly string[] = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE']

export const loggerConfigs: ConfigKind = {
  describe: (name, context, { logLevels }) => {
    if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    const invalidId = brokerProblem(name, context)
    if (invalidId !== null) return invalidId
    return [...logLevels.of(context.brokerId)].map(([logger, value]) => ({
      name: logger,
      value,
      readOnly: false,
      configSource: Source.logger,
      isSensitive: false,
      synonyms: [],
    }))
  },
  alter: (resourceName, configs, validateOnly, context, { logLevels }) => {
    if (!context.allows('alter-configs', 'cluster', CLUSTER_NAME)) {
      return problem(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    }
    const invalidId = brokerProblem(resourceName, context)
    if (invalidId !== null) return invalidId
    const loggers = logLevels.of(context.brokerId)
    for (const { name, configOperation, value } of configs) {
      if (configOperation > SUBTRACT) return problem(ErrorCode.ERR_UNKNOWN)
      if (configOperation !== SET && configOperation !== DELETE) {
        return problem(ErrorCode.ERR_INVALID_REQUEST, 'Log levels can only be set or deleted.')
      }
      if (!loggers.has(name)) return problem(ErrorCode.ERR_INVALID_CONFIG, `Logger ${name} does not exist.`)
      if (configOperation === SET && !levels.includes(value ?? '')) {
        return problem(
          ErrorCode.ERR_INVALID_CONFIG,
          `${value} is not a log level; it must be one of ${levels.join(', ')}`,
        )
      }
      if (configOperation === DELETE && name === ROOT) {
        return problem(ErrorCode.ERR_INVALID_REQUEST, 'The level of the root logger cannot be deleted.')
      }
    }
    if (validateOnly) return null
    for (const { name, value } of configs) loggers.set(name, value ?? loggers.get(ROOT) ?? '')
    return null
  },
  own: () => null,
}
