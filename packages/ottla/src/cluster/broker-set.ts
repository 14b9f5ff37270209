import { ErrorCode } from '@ottla/protocol'
import type { Deadline } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { KafkaError } from '../errors.ts'
import type { LaneSettings } from '../network/lane.ts'
import { HungUpError, RequestError } from '../network/request-error.ts'
import type { Credentials } from '../network/sasl/mechanism.ts'
import type { TokenSource } from '../network/sasl/oauth/token-source.ts'
import { OAuthBearerMechanism } from '../network/sasl/oauthbearer.ts'
import { Broker, type BrokerObserver } from './broker.ts'
import { bootstrapAddresses, laneSettings } from './connection-settings.ts'
import { noteRepeats } from '../observe/error-throttle.ts'
import { emitError, type ClientContext } from './context.ts'
import { firstUp } from './first-up.ts'
import type { BrokerAddress } from './snapshot.ts'

// The same failure of the same broker is reported again after this time.
const REPEAT_ERROR_MS = 30_000

/** All brokers that the client knows: the bootstrap addresses, and the brokers that the cluster named. */
export class BrokerSet {
  readonly #context: ClientContext
  readonly #settings: LaneSettings
  readonly #credentials: { current: Credentials }
  readonly #nodes = new Map<number, Broker>()
  readonly #retired = new Set<Broker>()
  readonly #observer: BrokerObserver
  readonly #reported = new Map<string, { code: number; at: number; repeats: number; hungUp: boolean }>()
  #bootstrap: Broker[] = []
  #allDown = false
  #refusal: RequestError | null = null
  #metadataError: KafkaError | null = null
  #hasAnswered = false
  #closed: RequestError | null = null

  constructor(context: ClientContext, onConnectionLost: () => void, onUp: (broker: Broker) => void) {
    this.#context = context
    const { settings } = context
    this.#credentials = {
      current: { username: settings['sasl.username'] ?? '', password: settings['sasl.password'] ?? '' },
    }
    this.#settings = laneSettings(
      context,
      () => this.#credentials.current,
      () => this.#retryNow(),
    )
    this.#observer = {
      onUp: broker => {
        this.#refusal = null
        // A broker that hangs up at every first request comes up again and again.
        if (this.#reported.get(broker.name)?.hungUp !== true) {
          this.#allDown = false
          this.#reported.delete(broker.name)
        }
        onUp(broker)
      },
      onDown: (broker, error, wasUp) => {
        this.#onDown(broker, error, wasUp)
        if (wasUp) onConnectionLost()
      },
    }
    this.#makeBootstrap()
  }

  /** The last rejection of the credentials; null again once a connection comes up. */
  get refusal(): RequestError | null {
    return this.#refusal
  }

  /** Why no broker has answered a metadata request since the last that did; null if no failure is known. */
  get metadataError(): KafkaError | null {
    return this.#metadataError ?? (this.#hasAnswered ? null : this.#unansweredError())
  }

  /** Records the outcome of a metadata request; null for an answer. */
  recordMetadata(error: KafkaError | null): void {
    if (error === null) {
      this.#hasAnswered = true
      this.#metadataError = null
    } else {
      this.#metadataError ??= error
    }
  }

  node(id: number): Broker | undefined {
    return this.#nodes.get(id)
  }

  nodes(): Broker[] {
    return [...this.#nodes.values()]
  }

  /** The cluster's brokers, and the bootstrap addresses in use. */
  all(): Broker[] {
    return [...this.#nodes.values(), ...this.#bootstrap]
  }

  /** The broker at an address that a response named, even if the metadata does not have it yet. */
  ensure(address: BrokerAddress): Broker {
    const known = this.#nodes.get(address.id)
    if (known !== undefined && known.host === address.host && known.port === address.port) return known
    if (known !== undefined) this.#retire(known)
    const broker = this.#adopt(address) ?? this.#make(address.id, address.host, address.port, address.rack)
    this.#nodes.set(address.id, broker)
    return broker
  }

  /**
   * Adopts the cluster's list of brokers.
   * @returns the brokers that are no longer in it
   */
  update(addresses: ReadonlyMap<number, BrokerAddress>): Broker[] {
    if (this.#closed !== null) return []
    const gone: Broker[] = []
    for (const [id, broker] of this.#nodes) {
      const address = addresses.get(id)
      if (address?.host === broker.host && address.port === broker.port) continue
      this.#nodes.delete(id)
      this.#retire(broker)
      gone.push(broker)
    }
    for (const address of addresses.values()) this.ensure(address)
    return gone
  }

  /**
   * A broker for a request that any can answer: one that is up, else the first to come up. It connects to them one
   * after the other, in parallel, those that have not failed first.
   * Uses the bootstrap addresses until the cluster has named its brokers, and again when none of those can be reached
   * (KIP-899, `metadata.recovery.strategy=rebootstrap`).
   * Rejects with the last failure if none can be reached, ERR__TIMED_OUT at the deadline, the signal's reason.
   * @param avoid - tried last: they failed a moment ago
   * @param except - have the request already
   */
  async reachable(
    avoid: readonly Broker[],
    deadline: Deadline,
    signal: AbortSignal | undefined,
    except: ReadonlySet<Broker> = new Set(),
  ): Promise<Broker> {
    const candidates = shuffled(this.#candidates(except), this.#context.random)
    const others = candidates.filter(broker => !avoid.includes(broker))
    const up = others.filter(broker => broker.isUp)
    if (up.length > 0) return this.#leastBusy(up)
    const inOrder = [
      ...others.filter(broker => !broker.isFailing),
      ...others.filter(broker => broker.isFailing),
      ...candidates.filter(broker => avoid.includes(broker)),
    ]
    const late = (): KafkaError => {
      const names = inOrder.map(({ name, lastFailure }) => (lastFailure === null ? name : lastFailure.message))
      const cause = inOrder.find(({ lastFailure }) => lastFailure !== null)?.lastFailure
      return new KafkaError(ErrorCode.ERR__TIMED_OUT, `no broker could be reached in time: ${names.join('; ')}`, {
        cause: cause ?? undefined,
      })
    }
    return firstUp(inOrder, this.#context.clock, deadline, signal, late)
  }

  #candidates(except: ReadonlySet<Broker>): Broker[] {
    const nodes = [...this.#nodes.values()]
    const lost = nodes.every(broker => broker.isFailing)
    const rebootstrap = this.#context.settings['metadata.recovery.strategy'] === 'rebootstrap'
    if (lost && (nodes.length === 0 || rebootstrap)) this.#makeBootstrap()
    const pool = lost ? [...nodes, ...this.#bootstrap] : nodes
    const others = pool.filter(broker => !except.has(broker))
    return others.length > 0 ? others : pool
  }

  // A broker that does not answer has more requests in flight.
  #leastBusy(brokers: readonly Broker[]): Broker {
    return brokers.reduce((a, b) => (b.inFlightOn('control') < a.inFlightOn('control') ? b : a))
  }

  setCredentials(credentials: Credentials): void {
    this.#credentials.current = credentials
    this.#retryNow()
  }

  /** The token source of OAUTHBEARER; null without it. */
  get tokens(): TokenSource | null {
    const { mechanism } = this.#settings.handshake
    return mechanism instanceof OAuthBearerMechanism ? mechanism.tokens : null
  }

  close(error: RequestError): void {
    this.#closed = error
    this.#settings.handshake.mechanism?.close?.()
    for (const broker of [...this.#nodes.values(), ...this.#bootstrap, ...this.#retired]) broker.close(error)
    this.#nodes.clear()
    this.#retired.clear()
    this.#bootstrap = []
  }

  #retryNow(): void {
    for (const broker of this.all()) broker.retryNow()
  }

  // Adds brokers for the bootstrap addresses at which there is none yet.
  #makeBootstrap(): void {
    const present = [...this.#nodes.values(), ...this.#bootstrap]
    bootstrapAddresses(this.#context.settings).forEach(({ host, port }, i) => {
      if (present.some(broker => broker.host === host && broker.port === port)) return
      this.#bootstrap.push(this.#make(-1 - i, host, port, null))
    })
  }

  #make(id: number, host: string, port: number, rack: string | null): Broker {
    const broker = new Broker(id, host, port, rack, this.#context, this.#settings, this.#observer)
    if (this.#closed !== null) broker.close(this.#closed)
    return broker
  }

  // A bootstrap address is often a broker's own address: keep its connection.
  #adopt(address: BrokerAddress): Broker | null {
    const index = this.#bootstrap.findIndex(b => b.host === address.host && b.port === address.port)
    const broker = this.#bootstrap[index]
    if (broker === undefined) return null
    this.#bootstrap.splice(index, 1)
    broker.adopt(address.id, address.rack)
    return broker
  }

  // A broker that drops out of the metadata may still answer: it is closed once all its connections are down.
  #retire(broker: Broker): void {
    if (broker.isUp) this.#retired.add(broker)
    else broker.close(retiredError(broker))
  }

  #onDown(broker: Broker, error: RequestError, wasUp: boolean): void {
    const { logger, clock, settings } = this.#context
    if (this.#retired.has(broker) && !broker.isUp) {
      this.#retired.delete(broker)
      broker.close(retiredError(broker))
      return
    }
    if (wasUp) {
      if (settings['log.connection.close']) logger.info('DISCONN', `${broker.name}: ${error.message}`)
      if (this.#context.events.hasListener('error')) {
        this.#context.events.emit({ type: 'error', error: new KafkaError(error.code, error.message, { cause: error }) })
      }
    } else {
      if (error.code === ErrorCode.ERR__AUTHENTICATION) this.#refusal = error
      this.#metadataError = error
      const reported = this.#reported.get(broker.name)
      const now = clock.now()
      if (reported?.code !== error.code || now - reported.at >= REPEAT_ERROR_MS) {
        const hungUp = error instanceof HungUpError
        this.#reported.set(broker.name, { code: error.code, at: now, repeats: 0, hungUp })
        const told = new KafkaError(error.code, error.message, { cause: error })
        if (reported?.code === error.code) noteRepeats(told, reported.repeats, now - reported.at)
        emitError(this.#context, told)
      } else reported.repeats++
    }
    this.#checkAllDown()
  }

  #unansweredError(): KafkaError {
    const names = this.all().map(broker => `${broker.name} (${broker.isUp ? 'connected to' : 'being connected to'})`)
    return new KafkaError(ErrorCode.ERR__TIMED_OUT, `no broker has answered so far: ${names.join(', ')}`)
  }

  #checkAllDown(): void {
    const all = this.#nodes.size > 0 ? [...this.#nodes.values()] : this.#bootstrap
    if (this.#allDown || all.length === 0 || !all.every(broker => broker.isFailing)) return
    this.#allDown = true
    const names = all.map(broker => broker.name).join(', ')
    const message = `${all.length}/${all.length} brokers are down: ${names}`
    emitError(this.#context, new KafkaError(ErrorCode.ERR__ALL_BROKERS_DOWN, message, { cause: this.#metadataError }))
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

function retiredError(broker: Broker): RequestError {
  return new RequestError(ErrorCode.ERR__TRANSPORT, `${broker.name} is no longer part of the cluster`, true)
}
