import { ErrorCode } from '@ottla/protocol'
import { systemClock, type Clock } from '../base/clock.ts'
import { programName } from '../base/program-name.ts'
import { systemRandom, type Random } from '../base/random.ts'
import { systemThreads, type Threads } from '../base/threads.ts'
import { stackOf } from '../base/unknown-error.ts'
import type { CommonSettings, Resolved } from '../config/resolve.ts'
import { invalidArgument, type KafkaError } from '../errors.ts'
import { systemNetwork, type Network } from '../network/network.ts'
import type { WireRecorder } from '../network/recording/recorder.ts'
import type { WireRecording } from '../network/recording/wire-recording.ts'
import type { KerberosPackage } from '../network/sasl/kerberos-package.ts'
import type { SaslMechanism } from '../network/sasl/mechanism.ts'
import type { OAuthBearerTokenFunction } from '../network/sasl/oauth/token.ts'
import type { VerifyCertificate } from '../network/tls/verify.ts'
import type { ChannelClient } from '../observe/channel-payloads.ts'
import { repeatsInWords } from '../observe/error-throttle.ts'
import { EventHub } from '../observe/events.ts'
import { Logger, stderrSink, type LogSink } from '../observe/logger.ts'
import { ClientCounters } from '../observe/statistics/counters.ts'
import type { LogLevel } from '../types.ts'
import { RecordCodecs, type RecordCodec } from './record-codecs.ts'

export type ClientKind = 'producer' | 'consumer' | 'admin'

/** What all parts of a client share. */
export interface ClientContext {
  readonly kind: ClientKind
  /** Unique in the process: `orders#producer-1`. */
  readonly name: string
  /** As channels name it. */
  readonly client: ChannelClient
  readonly settings: CommonSettings
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly threads: Threads
  /** Null unless what goes over the wire is recorded. */
  readonly recorder: WireRecorder | null
  readonly logger: Logger
  readonly events: EventHub
  readonly counters: ClientCounters
  readonly verifyCertificate: VerifyCertificate | null
  readonly kerberos: KerberosPackage | null
  readonly oauthBearerToken: OAuthBearerTokenFunction | null
  /** The application's own; null for that of `sasl.mechanisms`. */
  readonly saslMechanism: SaslMechanism | null
  /** The application's own; null if all are built in. */
  readonly codecs: RecordCodecs | null
}

/** Constructor options of all clients. */
export interface ClientOptions {
  /** Receives the logs; the default writes warnings and worse to standard error. */
  readonly logger?: LogSink
  /** The clock; tests pass one of their own. */
  readonly clock?: Clock
  /** Decides on brokers' certificates, after the checks that the `ssl.*` properties request. */
  readonly verifyCertificate?: VerifyCertificate
  /** The package `kerberos` for `sasl.mechanisms=GSSAPI`, if it cannot be loaded by its name. */
  readonly kerberos?: KerberosPackage
  /** Makes tokens for `sasl.mechanisms=OAUTHBEARER`, instead of `oauthbearer-token-refresh` events. */
  readonly oauthBearerToken?: OAuthBearerTokenFunction
  /** How to authenticate, in place of `sasl.mechanisms`: a mechanism that is not built in. */
  readonly saslMechanism?: SaslMechanism
  /** Codecs for the records of batches, each in place of the built-in one of its name. */
  readonly codecs?: readonly RecordCodec[]
  /** Random numbers; tests pass seeded ones. */
  readonly random?: Random
  /** Sockets and addresses; a simulation passes its own. Only for connections without TLS. */
  readonly network?: Network
  /** Runs compression and key derivation; a simulation passes its own. */
  readonly threads?: Threads
  /** Records what goes over the wire to a file, for bug reports: `record: wireRecording('bug.jsonl')`. */
  readonly record?: WireRecording
}

// The default of `client.id`, librdkafka's: it says nothing about the program.
const UNNAMED = 'rdkafka'

let instances = 0

/**
 * Creates the shared parts of a client, and logs the configuration's warnings.
 * @throws KafkaError ERR__INVALID_ARG without `bootstrap.servers`
 */
export function createContext(kind: ClientKind, resolved: Resolved, options: ClientOptions): ClientContext {
  const { settings, warnings } = resolved
  if (settings['bootstrap.servers'].length === 0) {
    throw invalidArgument('bootstrap.servers is not set: the client would have no broker to connect to')
  }
  const clientId = settings['client.id']
  const name = `${clientId === UNNAMED ? programName() : clientId}#${kind}-${++instances}`
  const clock = options.clock ?? systemClock
  const sink = options.logger ?? stderrSink(name)
  const events = new EventHub((type, error) => {
    const why = stackOf(error)
    logger.error('LISTENER', `a listener for '${type}' events threw: ${why}`)
  })
  const teeing: LogSink = (level: LogLevel, facility, message) => {
    sink(level, facility, message, name)
    if (events.hasListener('log')) events.emit({ type: 'log', level, facility, message })
  }
  const logger = new Logger(teeing, settings['log_level'], new Set(settings['debug']), clock)
  for (const warning of warnings) logger.warning('CONFWARN', warning)
  return {
    kind,
    name,
    client: channelClient(kind, name, settings),
    settings,
    clock,
    random: options.random ?? systemRandom,
    network: options.network ?? systemNetwork,
    threads: options.threads ?? systemThreads,
    recorder: recorderOf(options, name),
    logger,
    events,
    counters: new ClientCounters(clock, settings['statistics.interval.ms'] > 0),
    verifyCertificate: options.verifyCertificate ?? null,
    kerberos: options.kerberos ?? null,
    oauthBearerToken: options.oauthBearerToken ?? null,
    saslMechanism: options.saslMechanism ?? null,
    codecs: options.codecs === undefined ? null : new RecordCodecs(options.codecs, logger),
  }
}

function channelClient(kind: ClientKind, name: string, settings: CommonSettings): ChannelClient {
  return {
    name,
    kind,
    clientId: settings['client.id'],
    groupId: kind === 'consumer' ? (settings['group.id'] ?? null) : null,
    transactionalId: kind === 'producer' ? (settings['transactional.id'] ?? null) : null,
  }
}

function recorderOf({ record }: ClientOptions, name: string): WireRecorder | null {
  if (record === undefined) return null
  if (typeof (record as Partial<WireRecording> | null)?.client === 'function') return record.client(name)
  throw invalidArgument("the option record takes a recording: record: wireRecording('bug.jsonl')")
}

/** Emits an error that the client recovers from; logs it if nobody listens. */
export function emitError(context: ClientContext, error: KafkaError): void {
  if (context.events.emit({ type: 'error', error })) return
  const facility = error.code === ErrorCode.ERR__ALL_BROKERS_DOWN ? 'ALLDOWN' : 'ERROR'
  context.logger.error(facility, `${error.name}: ${error.message}${repeatsInWords(error)}`)
}
