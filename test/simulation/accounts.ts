/** Users with rights and passwords, and an administrator who changes them. */
import type { AclBinding, AclBindingFilter, AdminClient, AdminConfig, ClientConfig, KafkaError } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { administrator } from './clusters.ts'
import { Timeline } from './timeline.ts'
import { Voice } from './voice.ts'
import { inWords, type World } from './world.ts'

const MECHANISM = 'SCRAM-SHA-256'
const ITERATIONS = 4096
const SALT_BYTES = 16
const MOST_ATTEMPTS = 100
const CLOSE_LIMIT_MS = 60_000
/** Requests that were given up have been carried out by then. */
const LATE_MS = 10_000

type RightState = 'held' | 'changing' | 'withheld'

/** What a user may do. */
export class Right {
  readonly account: Account
  readonly resourceType: 'topic' | 'group'
  readonly name: string
  readonly operation: 'read' | 'write' | 'describe'
  readonly timeline = new Timeline<RightState>('held')

  constructor(account: Account, resourceType: Right['resourceType'], name: string, operation: Right['operation']) {
    this.account = account
    this.resourceType = resourceType
    this.name = name
    this.operation = operation
  }

  get binding(): AclBinding {
    const { resourceType, name, operation } = this
    const principal = `User:${this.account.user}`
    return {
      resourceType,
      name,
      operation,
      principal,
      resourcePatternType: 'literal',
      host: '*',
      permissionType: 'allow',
    }
  }

  toString(): string {
    return `${this.account.user}'s right to ${this.operation} ${this.resourceType} ${this.name}`
  }
}

interface Client {
  setSaslCredentials(username: string, password: string): void
}

/** A user, as its clients know it. */
export class Account {
  readonly user: string
  readonly voice: Voice
  readonly rights: Right[] = []
  /** Whether its clients have the password that the brokers have. */
  readonly password = new Timeline<'known' | 'outdated'>('known')
  /** Whether its clients have connections, or could have some. */
  readonly contact = new Timeline<'in touch' | 'cut off'>('in touch')
  #host: string
  #client: Client | null = null
  #clients = 0
  #secret: string

  constructor(world: World, user: string) {
    this.user = user
    this.#host = user
    this.#secret = `${user}-secret-0`
    this.voice = new Voice(world, user)
    world.cluster.setUser(user, this.#secret)
  }

  /** The host of its last client. */
  get host(): string {
    return this.#host
  }

  /** The number of its present client; 0 while there is none. */
  get present(): number {
    return this.#client === null ? 0 : this.#clients
  }

  /** The password that its clients have. */
  get secret(): string {
    return this.#secret
  }

  get login(): Partial<ClientConfig> {
    return {
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': MECHANISM,
      'sasl.username': this.user,
      'sasl.password': this.#secret,
    }
  }

  grant(resourceType: Right['resourceType'], name: string, operation: Right['operation']): Right {
    const right = new Right(this, resourceType, name, operation)
    this.rights.push(right)
    return right
  }

  /** It has another client. */
  use(client: Client, host: string): void {
    this.#client = client
    this.#clients++
    this.#host = host
  }

  /** Its client is being closed. */
  rest(): void {
    this.#client = null
  }

  /** Its clients get another password. */
  learn(secret: string): void {
    this.#secret = secret
    this.#client?.setSaslCredentials(this.user, secret)
  }
}

const login: Partial<AdminConfig> = {
  'security.protocol': 'sasl_plaintext',
  'sasl.mechanisms': 'PLAIN',
  'sasl.username': administrator.username,
  'sasl.password': administrator.password,
}

/** Carries out each change, however often that takes. */
export class Administrator {
  readonly admin: AdminClient
  readonly #world: World
  readonly #dice: Dice

  constructor(world: World) {
    this.#world = world
    this.#dice = world.simulation.dice('administrator')
    this.admin = world.admin('admin', login)
  }

  /** For rights that nobody has needed so far. */
  async create(rights: readonly Right[]): Promise<void> {
    await this.#insist('giving rights', () => this.admin.createAcls(rights.map(({ binding }) => binding)))
  }

  async give(right: Right): Promise<void> {
    this.#changing(right)
    await this.create([right])
    this.#changed(right, 'held')
  }

  async takeAway(right: Right): Promise<void> {
    this.#changing(right)
    const filter: AclBindingFilter = right.binding
    await this.#insist('taking a right away', () => this.admin.deleteAcls([filter]))
    this.#changed(right, 'withheld')
  }

  /** The brokers get another password; clients have to be told. */
  async setPassword({ user }: Account, password: string): Promise<void> {
    const salt = Buffer.from(Array.from({ length: SALT_BYTES }, () => this.#dice.int(0, 255)))
    const alteration = { user, mechanism: MECHANISM, iterations: ITERATIONS, password, salt } as const
    await this.#insist('a password', () => this.admin.alterUserScramCredentials([alteration]))
  }

  /** Everybody may log in, and do what was granted once. */
  async restore(accounts: readonly Account[]): Promise<void> {
    // A request that was given up may be carried out after the one that took its place.
    for (let round = 0; round < 2; round++) {
      await this.create(accounts.flatMap(({ rights }) => rights))
      for (const account of accounts) await this.setPassword(account, account.secret)
      if (round === 0) await this.#world.sleep(LATE_MS)
    }
    for (const account of accounts) account.learn(account.secret)
  }

  async close(): Promise<void> {
    await this.#world.settle(this.admin.close(), CLOSE_LIMIT_MS, 'closing the administration')
  }

  #changing(right: Right): void {
    right.timeline.set('changing', this.#world.now)
  }

  #changed(right: Right, state: RightState): void {
    this.#world.note(`${String(right)} is ${state}`)
    right.timeline.set(state, this.#world.now)
  }

  async #insist(what: string, call: () => Promise<readonly { readonly error?: KafkaError }[]>): Promise<void> {
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
      try {
        const results = await call()
        const failed = results.find(({ error }) => error !== undefined)
        if (failed?.error === undefined) return
        this.#world.note(`${what}: ${inWords(failed.error)}`)
      } catch (error) {
        this.#world.note(`${what}: ${inWords(error)}`)
      }
      await this.#world.sleep(500)
    }
    this.#world.complain(`${what} has not succeeded in ${MOST_ATTEMPTS} attempts`)
  }
}
