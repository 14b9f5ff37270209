/** The constructors' second argument: the options that each client takes, and their names in other clients. */
import { invalidArgument } from '../errors.ts'
import { foreignHint } from './foreign-names.ts'
import { closest, isProperty } from './names.ts'

const common = [
  'logger',
  'clock',
  'verifyCertificate',
  'kerberos',
  'oauthBearerToken',
  'saslMechanism',
  'codecs',
  'random',
  'network',
  'threads',
  'record',
]

const taken = {
  Producer: [...common, 'key', 'value', 'topics', 'partitioner', 'interceptors'],
  Consumer: [...common, 'key', 'value', 'topics', 'assignors', 'interceptors'],
  ShareConsumer: [...common, 'key', 'value', 'topics'],
  AdminClient: common,
}

const keyAndValue = "the options 'key' and 'value' take its place"

const hints: Readonly<Record<string, string>> = {
  serializer: keyAndValue,
  serializers: keyAndValue,
  deserializer: keyAndValue,
  deserializers: keyAndValue,
  serde: keyAndValue,
  keySerializer: "it is 'key' here",
  valueSerializer: "it is 'value' here",
  keyDeserializer: "it is 'key' here",
  valueDeserializer: "it is 'value' here",
  createPartitioner: "it is 'partitioner' here",
  interceptor: "it is 'interceptors' here, a list",
  partitionAssigners: "it is 'assignors' here",
  assigners: "it is 'assignors' here",
  log: "it is 'logger' here",
  logCreator: "it is 'logger' here",
  recording: "it is 'record' here",
  recorder: "it is 'record' here",
  logLevel: "it is the property 'log_level', in the first argument",
  tokenProvider: "it is 'oauthBearerToken' here",
  oauthBearerProvider: "it is 'oauthBearerToken' here",
  authenticationProvider: "it is 'saslMechanism' here",
  compressionCodecs: "it is 'codecs' here",
}

/**
 * The options, if the client takes all of them.
 * @throws KafkaError ERR__INVALID_ARG naming the one that it does not take, and what may be meant
 */
export function checkedOptions<O extends object>(client: keyof typeof taken, options: O): O {
  if (typeof options !== 'object' || (options as O | null) === null || Array.isArray(options)) {
    throw invalidArgument(`the options of ${client}, its second argument, must be an object`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || taken[client].includes(name)) continue
    throw invalidArgument(`${client} has no option '${name}'${hintFor(client, name)}`)
  }
  return options
}

function hintFor(client: keyof typeof taken, name: string): string {
  const other = Object.entries(taken).find(([, names]) => names.includes(name))
  if (other !== undefined) return `: it is an option of ${other[0]}`
  if (Object.hasOwn(hints, name)) return `: ${hints[name] ?? ''}`
  if (isProperty(name)) return ': it is a property, and belongs in the first argument'
  const foreign = foreignHint(name)
  if (foreign !== null) return `: it ${foreign}`
  const close = closest(name, taken[client])
  if (close !== null) return `; did you mean '${close}'?`
  return `; it takes ${taken[client].join(', ')}`
}
