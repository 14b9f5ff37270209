/**
 * An administrator takes rights away and gives them back, changes passwords and deletes groups, while producers and
 * members of a group go on: what is refused is reported as refused and is nowhere, members say so without shouting and
 * read on when they may again, and nothing that was acknowledged is lost.
 */
import { ErrorCode, type Consumer, type ConsumerConfig, type Message } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Account, Administrator, Right } from '../accounts.ts'
import { sessionMsOf } from '../clusters.ts'
import { Flag } from '../flag.ts'
import { read, ways, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const TOPIC = 'books'
/** Producers may always write here: an idempotent one that may write nowhere has to end. */
const SPARE = 'spare'
const GROUP = 'readers'
const CALM_LIMIT_MS = 120_000
const LIMIT_MS = 120_000
/** Everything has been connected and joined by then. */
const BEGUN_MS = 10_000
/** Without faults, a client knows by then what it may do. */
const KNOWN_MS = 10_000
/** Without faults, connections that were cut are there again by then. */
const CONNECTED_MS = 15_000
/** Without faults, a client has said by then what it misses. */
const SAID_MS = 15_000
/** So long nothing was to be refused before a password changed: what a client needs, it has. */
const STEADY_MS = 30_000
/** By then, members that were not allowed to leave are out of the group, too. */
const GONE_MS = 60_000

class Reader {
  readonly account: Account
  readonly #world: World
  readonly #dice: Dice
  readonly #config: Partial<ConsumerConfig>
  readonly #onMessage: (message: Message) => void
  #lives = 0
  #beganAt = 0
  #life: {
    readonly consumer: Consumer
    readonly reading: Promise<void>
    readonly over: Flag
    readonly way: Way
  } | null = null

  constructor(world: World, account: Account, config: Partial<ConsumerConfig>, onMessage: (message: Message) => void) {
    this.account = account
    this.#world = world
    this.#dice = world.simulation.dice(account.user)
    this.#config = config
    this.#onMessage = onMessage
    this.begin()
  }

  /** How often it has begun. */
  get lives(): number {
    return this.#lives
  }

  get beganAt(): number {
    return this.#beganAt
  }

  get assigned(): number {
    return this.#life?.consumer.assignment().length ?? 0
  }

  begin(): void {
    const world = this.#world
    const dice = this.#dice
    const name = `${this.account.user}-${++this.#lives}`
    this.#beganAt = world.now
    const way = dice.pick(ways)
    const slowMs = dice.pick([0, 1, 20])
    const consumer = world.consumer(name, {
      ...this.account.login,
      'group.id': GROUP,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': dice.pick([100, 1000, 5000]),
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      // Without commits, nothing else is refused to a member that may not be in its group.
      'enable.auto.commit': dice.chance(0.6),
      ...this.#config,
    })
    this.account.use(consumer, name)
    world.note(`${name} begins: ${way}`)
    consumer.on('error', ({ error }) => this.account.voice.heard(error))
    consumer.subscribe([TOPIC])
    const over = new Flag()
    const reading = read(world, {
      consumer,
      name,
      way,
      dice: dice.of(name),
      isOver: () => over.isSet(),
      onMessage: async message => {
        this.#onMessage(message)
        if (slowMs > 0) await world.sleep(slowMs)
      },
      onDone: () => undefined,
    })
    this.#life = { consumer, reading, over, way }
  }

  async leave(): Promise<void> {
    const life = this.#life
    if (life === null) return
    this.#life = null
    this.account.rest()
    life.over.set()
    await this.#world.settle(life.consumer.close(), LIMIT_MS, `closing ${this.account.host}`)
    await this.#world.settle(life.reading, LIMIT_MS, `the reading of ${this.account.host}`)
  }

  explain(): string {
    const life = this.#life
    return `${this.account.host} (${life?.way}): ${life?.consumer.explain().join(' | ')}`
  }
}

interface Cast {
  readonly administrator: Administrator
  readonly readers: readonly Reader[]
  readonly accounts: readonly Account[]
  readonly isQuiet: boolean
}

/** What the administrator does; each thing to one subject at a time. */
class Changes {
  readonly #world: World
  readonly #dice: Dice
  readonly #cast: Cast
  readonly #busy = new Set<Right | Account | 'group'>()
  #passwords = 0

  constructor(world: World, cast: Cast) {
    this.#world = world
    this.#dice = world.simulation.dice('changes')
    this.#cast = cast
  }

  async work(isOver: () => boolean): Promise<void> {
    const { accounts } = this.#cast
    const subjects = [...accounts.flatMap(({ rights }) => rights), ...accounts, 'group' as const]
    const acts: Promise<void>[] = []
    await this.#world.sleep(BEGUN_MS)
    while (!isOver()) {
      const subject = this.#dice.pick(subjects)
      if (!this.#busy.has(subject)) {
        this.#busy.add(subject)
        acts.push(this.#act(subject).finally(() => this.#busy.delete(subject)))
      }
      await this.#world.nextAct(this.#dice.int(500, 6000))
    }
    await Promise.all(acts)
  }

  async #act(subject: Right | Account | 'group'): Promise<void> {
    if (subject === 'group') await this.#deleteGroup()
    else if (subject instanceof Account) await this.#changePassword(subject)
    else await this.#withhold(subject)
  }

  async #withhold(right: Right): Promise<void> {
    const { administrator, readers, isQuiet } = this.#cast
    const beforeMs = this.#world.now - right.timeline.since
    await administrator.takeAway(right)
    const from = this.#world.now
    const reader = readers.find(({ account }) => account === right.account)
    const before = reader === undefined ? null : { reader, lives: reader.lives, assigned: reader.assigned }
    await this.#world.sleep(this.#dice.pick([3000, 20_000]) + this.#dice.int(0, 5000))
    // What was withheld a moment ago is still the same error.
    if (isQuiet && before !== null && beforeMs > KNOWN_MS) this.#checkSaid(right, from, before)
    await administrator.give(right)
  }

  #checkSaid(right: Right, from: number, before: { reader: Reader; lives: number; assigned: number }): void {
    const { now } = this.#world
    const { account, resourceType, operation } = right
    const { reader, lives, assigned } = before
    const isSame = reader.lives === lives && from - reader.beganAt > BEGUN_MS && reader.assigned > 0 && assigned > 0
    const others = account.rights.filter(other => other !== right)
    const isAlone =
      others.every(({ timeline }) => timeline.during(from - KNOWN_MS, now) === 'held') &&
      account.password.during(from - KNOWN_MS, now) === 'known' &&
      account.contact.during(from - KNOWN_MS, now) === 'in touch'
    if (now - from < SAID_MS || !isSame || !isAlone || operation !== 'read') return
    const code =
      resourceType === 'group' ? ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
    if (account.voice.hasSaid(code, from)) return
    this.#world.complain(`${String(right)} is missing for ${Math.round(now - from)} ms, and it says nothing`)
  }

  async #changePassword(account: Account): Promise<void> {
    const { administrator, isQuiet } = this.#cast
    const world = this.#world
    const dice = this.#dice
    const before = account.secret
    const next = `${account.user}-secret-${++this.#passwords}`
    // Connections stay, unless they have to log in again now and then.
    const cuts = isQuiet && dice.chance(0.5)
    const loses = cuts || sessionMsOf(world.plan) > 0
    account.password.set('outdated', world.now)
    world.hinder(account.user, true)
    if (loses) account.contact.set('cut off', world.now)
    await administrator.setPassword(account, next)
    world.note(`${account.user} has another password`)
    const from = world.now
    const { host, present } = account
    if (cuts) world.note(`${world.simulation.network.cut(host)} connections of ${host} are cut`)
    await world.sleep(dice.int(0, dice.pick([1000, 20_000])))
    if (cuts && world.now - from > SAID_MS && present > 0 && present === account.present)
      this.#checkRefused(account, from)
    if (dice.chance(0.7)) account.learn(next)
    else await administrator.setPassword(account, before)
    world.note(`${account.user} has the right password again`)
    account.password.set('known', world.now)
    world.hinder(account.user, false)
    if (!loses) return
    await world.sleep(CONNECTED_MS)
    account.contact.set('in touch', world.now)
  }

  #checkRefused(account: Account, from: number): void {
    if (account.voice.hasSaid(ErrorCode.ERR__AUTHENTICATION, from)) return
    this.#world.complain(
      `${account.host} cannot log in since ${Math.round(this.#world.now - from)} ms, and says nothing`,
    )
  }

  /** Deletes the group: in vain while it has members, with all that it has committed when it has none. */
  async #deleteGroup(): Promise<void> {
    const { readers, isQuiet } = this.#cast
    const world = this.#world
    const isEmpty = this.#dice.chance(0.7)
    if (isEmpty) await Promise.all(readers.map(reader => reader.leave()))
    const hasMember = readers.some(({ assigned, account }) => assigned > 0 && this.#isUndisturbed(account))
    const isUndisturbed = readers.every(({ account }) => this.#isUndisturbed(account))
    const code = await this.#tryToDelete()
    world.note(`the group is deleted: ${code}`)
    const isGone = code === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_GROUP_ID_NOT_FOUND
    if (isQuiet && !isEmpty && hasMember && isGone) world.complain('the group was deleted, and it has members')
    if (isQuiet && isEmpty && isUndisturbed && !isGone)
      world.complain(`the group is not deleted, though all members have left: code ${code}`)
    const left = world.cluster.committedOffsets(GROUP).length
    if (isEmpty && isGone && left > 0) world.complain(`the group was deleted, and has ${left} committed offsets`)
    if (isEmpty) for (const reader of readers) reader.begin()
  }

  // It may do everything, and has been able to for a while.
  #isUndisturbed({ rights, password, contact }: Account): boolean {
    const { now } = this.#world
    const from = now - GONE_MS
    return (
      rights.every(({ timeline }) => timeline.during(from, now) === 'held') &&
      password.during(from, now) === 'known' &&
      contact.during(from, now) === 'in touch'
    )
  }

  /** @returns the code of the answer; -1 without one */
  async #tryToDelete(): Promise<number> {
    try {
      const [result] = await this.#cast.administrator.admin.deleteConsumerGroups([GROUP])
      return result?.error?.code ?? ErrorCode.ERR_NO_ERROR
    } catch (error) {
      this.#world.note(`deleting the group: ${inWords(error)}`)
      return -1
    }
  }
}

export async function access(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 4)
  for (const topic of [TOPIC, SPARE]) cluster.createTopic(topic, { partitions, replicationFactor: 3 })
  const isQuiet = dice.chance(0.5)
  const protocol = dice.chance(0.5) ? 'consumer' : 'classic'
  const administrator = new Administrator(world)
  const writerAccounts = Array.from({ length: world.some(1, 2) }, (_, i) => new Account(world, `writer-${i}`))
  const readerAccounts = Array.from({ length: world.some(1, 2) }, (_, i) => new Account(world, `reader-${i}`))
  const accounts = [...writerAccounts, ...readerAccounts]
  const always = writerAccounts.map(account => new Right(account, 'topic', SPARE, 'write'))
  const mayWrite = new Map(writerAccounts.map(account => [account.user, account.grant('topic', TOPIC, 'write')]))
  for (const account of readerAccounts) {
    account.grant('topic', TOPIC, 'read')
    account.grant('group', GROUP, 'read')
  }
  // Who may read or write may describe, but not the other way round.
  for (const account of accounts) account.grant('topic', TOPIC, 'describe')
  await administrator.create([...always, ...accounts.flatMap(({ rights }) => rights)])
  world.note(`${partitions} partitions, ${protocol}, ${isQuiet ? 'quiet' : 'stormy'}, ${accounts.length} users`)

  const processed = new Set<string>()
  let steps = 0
  const onMessage = ({ partition, offset }: Message): void => {
    processed.add(`${partition}:${offset}`)
    steps++
  }
  const config: Partial<ConsumerConfig> =
    protocol === 'classic'
      ? { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 2000 }
      : { 'group.protocol': 'consumer' }
  const writers = writerAccounts.map(account => {
    const writer = new Writer(world, account.user, TOPIC, dice.chance(0.5), {
      ...account.login,
      // Who asks often learns from the metadata, too, that there is no such topic for it.
      'topic.metadata.refresh.interval.ms': dice.pick([2000, 300_000]),
    })
    account.use(writer.producer, account.user)
    writer.producer.on('error', ({ error }) => account.voice.heard(error))
    return writer
  })
  const readers = readerAccounts.map(account => new Reader(world, account, config, onMessage))
  const changes = new Changes(world, { administrator, readers, accounts, isQuiet })
  const over = new Flag()
  const changing = changes.work(() => over.isSet())
  for (const writer of writers) writer.start(world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else
    await world.storm({
      everyMs: dice.pick([1000, 3000, 10_000]),
      hosts: () => accounts.map(({ host }) => host),
      groups: [GROUP],
    })
  over.set()
  await world.settle(changing, 2 * LIMIT_MS, 'the changes')
  await administrator.restore(accounts)
  await Promise.all(writers.map(writer => writer.finish()))
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => steps,
    () => {
      const log = cluster.messages(TOPIC).map(({ partition, offset }) => `${partition}:${offset}`)
      const left = log.filter(place => !processed.has(place))
      if (left.length === 0) return null
      const who = readers.map(reader => reader.explain()).join('; ')
      return `${left.length} of ${log.length} messages are not read: ${left.slice(0, 5).join(' ')}; ${who}`
    },
  )
  checkReports(world, writers)
  if (isQuiet) writers.forEach((writer, i) => checkRights(world, writer, writerAccounts[i], mayWrite.get(writer.name)))
  await Promise.all(readers.map(reader => reader.leave()))
  await administrator.close()
}

/** What a producer might write all the time is written; what it might not is refused, in these words. */
function checkRights(world: World, writer: Writer, account: Account | undefined, right: Right | undefined): void {
  if (account === undefined || right === undefined) throw new Error(`${writer.name} has no account`)
  writer.reports.forEach(([report], number) => {
    const since = writer.producedAt[number]
    if (report === undefined || since === undefined) return
    const { status, code, at } = report
    const value = `${writer.name}:${number}`
    if (right.timeline.during(since, at) === 'withheld') {
      if (status === 'persisted') world.complain(`${value} is persisted, and was not to be written`)
      else if (code !== ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED && isConnected(account, since, at))
        world.complain(`${value} was not to be written, and is ${status} with code ${code}`)
      return
    }
    if (mustBeWritten(account, right, since, at) && status !== 'persisted')
      world.complain(`${value} was to be written, and is ${status} with code ${code}`)
  })
}

function isConnected({ contact, password }: Account, since: number, at: number): boolean {
  const from = since - KNOWN_MS
  return contact.during(from, at) === 'in touch' && password.during(from, at) === 'known'
}

function mustBeWritten({ contact, password }: Account, { timeline }: Right, since: number, at: number): boolean {
  const from = since - KNOWN_MS
  if (contact.during(from, at) !== 'in touch') return false
  // A client without the right password has what it had before: it is not told that it may write again.
  const outdatedFrom = password.firstSince('outdated', from, at)
  const steadyFrom = outdatedFrom === null ? from : Math.min(from, outdatedFrom - STEADY_MS)
  return timeline.during(steadyFrom, at) === 'held'
}
