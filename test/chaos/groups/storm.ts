/** A group whose members come, go and crash, and whose coordinators are lost, until the storm is over. */
import { AdminClient, Producer, type ConsumerConfig } from 'ottla'
import { FragileMember, type Readings } from './fragile.ts'
import { OurMember, configOf, type Membership } from './members.ts'
import { timesRead, type Story } from './ownership.ts'

const quiet = (): void => undefined

/** The brokers that the storm goes over. */
export interface Brokers {
  readonly bootstrapServers: string
  readonly ids: readonly number[]
  kill(id: number): Promise<void>
  restart(id: number): Promise<void>
}

export interface Storm extends Membership {
  readonly brokers: Brokers
  readonly members: number
  readonly partitions: number
  readonly seconds: number
  /** Per second. */
  readonly messages: number
  readonly random: () => number
  readonly tell: (line: string) => void
  /** Within which the group has to be stable afterwards, ms. */
  readonly calmWithinMs: number
}

export interface StormResult {
  /** From the storm's end until every partition had one owner and the coordinator called the group stable, ms. */
  readonly calmAfterMs: number
  readonly written: number
  readonly missing: readonly number[]
  readonly repeats: number
  readonly joined: number
  readonly crashed: number
  readonly kills: number
}

const PAUSE_MS = 150
const MOST_MESSAGES = 5_000_000
const SESSION_MS = 6000
/** Threads cost more than clients. */
const MOST_FRAGILE = 3
const READ_WITHIN_MS = 60_000

export async function storm(options: Storm): Promise<StormResult> {
  return new Weather(options).run()
}

class Weather {
  readonly #options: Storm
  readonly #producer: Producer
  readonly #admin: AdminClient
  readonly #members: OurMember[] = []
  readonly #stories: Story[] = []
  readonly #leaving = new Set<Promise<unknown>>()
  readonly #fragile: FragileMember[] = []
  readonly #readings: Readings = new Uint8Array(new SharedArrayBuffer(MOST_MESSAGES))
  #joined = 0
  #crashed = 0
  #kills = 0
  #written = 0
  #failure: Error | undefined
  #isOver = false

  constructor(options: Storm) {
    this.#options = options
    const servers = { 'bootstrap.servers': options.bootstrapServers }
    this.#producer = new Producer({ ...servers, 'enable.idempotence': true, 'linger.ms': 5 }, { logger: quiet })
    this.#admin = new AdminClient(servers, { logger: quiet })
  }

  async run(): Promise<StormResult> {
    const { members, seconds, tell, calmWithinMs } = this.#options
    const writing = this.#write()
    for (let i = 0; i < members / 2; i++) this.#join()
    const end = Date.now() + seconds * 1000
    const breaking = this.#breakBrokers(end)
    while (Date.now() < end) {
      this.#blow()
      await sleep(this.#options.random() * PAUSE_MS)
    }
    await breaking
    while (this.#fragile.length > 0) await this.#crash()
    while (this.#members.length < members) this.#join()
    tell(`the storm is over: ${this.#joined} joined, ${this.#crashed} crashed, ${this.#kills} brokers killed`)
    const over = Date.now()
    const calmAfterMs = (await this.#within(calmWithinMs, () => this.#isCalm())) ? Date.now() - over : Infinity
    tell(`calm after ${calmAfterMs} ms`)
    this.#isOver = true
    await writing
    if (this.#failure !== undefined) throw this.#failure
    await this.#within(READ_WITHIN_MS, () => Promise.resolve(this.#missing().length === 0))
    await Promise.all(this.#members.map(member => this.#end(member)))
    await Promise.all(this.#leaving)
    await Promise.all([this.#producer.close(), this.#admin.close()])
    const missing = this.#missing()
    return {
      calmAfterMs,
      written: this.#written,
      missing,
      repeats: this.#readingsMade() - (this.#written - missing.length),
      joined: this.#joined,
      crashed: this.#crashed,
      kills: this.#kills,
    }
  }

  #join(): void {
    this.#members.push(new OurMember(`ours ${++this.#joined}`, this.#options, this.#config()))
  }

  #config(): ConsumerConfig {
    return {
      'reconnect.backoff.ms': 50,
      'reconnect.backoff.max.ms': 1000,
      ...(this.#options.protocol === 'classic' ? { 'session.timeout.ms': SESSION_MS } : {}),
    }
  }

  /** One member comes, goes or crashes. */
  #blow(): void {
    const { members, random, topic } = this.#options
    const kind = random()
    if (kind < 0.05) {
      if (this.#fragile.length === MOST_FRAGILE) {
        void this.#crash()
      } else {
        const config = { ...configOf(this.#options), ...this.#config() }
        this.#fragile.push(new FragileMember({ config, topic, readings: this.#readings }))
        this.#joined++
      }
    } else if (this.#members.length < members && (this.#members.length < 2 || kind < 0.54)) {
      this.#join()
    } else {
      const [gone] = this.#members.splice(Math.floor(random() * this.#members.length), 1)
      if (gone !== undefined) this.#leave(gone)
    }
  }

  async #crash(): Promise<void> {
    this.#crashed++
    await this.#fragile.shift()?.crash()
  }

  #leave(member: OurMember): void {
    const ended = this.#end(member)
    this.#leaving.add(ended)
    void ended.then(() => this.#leaving.delete(ended))
  }

  async #end(member: OurMember): Promise<void> {
    this.#stories.push(await member.leave())
  }

  /** One broker at a time is killed, the coordinator among them, and started again. */
  async #breakBrokers(end: number): Promise<void> {
    const { brokers, random, tell, group } = this.#options
    for (;;) {
      await sleep(1000 + random() * 2000)
      if (Date.now() >= end && this.#kills > 0) return
      let id = brokers.ids[Math.floor(random() * brokers.ids.length)] ?? 1
      if (random() < 0.5) {
        const [described] = await this.#admin.describeConsumerGroups([group]).catch(() => [])
        id = described?.coordinator?.id ?? id
      }
      await brokers.kill(id)
      this.#kills++
      tell(`broker ${id} killed (${this.#members.length} members)`)
      await sleep(500 + random() * 2000)
      await brokers.restart(id)
      tell(`broker ${id} is back`)
    }
  }

  async #isCalm(): Promise<boolean> {
    const { partitions, group } = this.#options
    const owned = this.#members.flatMap(({ consumer }) => consumer.assignment().map(({ partition }) => partition))
    if (owned.length !== partitions || new Set(owned).size !== partitions) return false
    const [described] = await this.#admin.describeConsumerGroups([group]).catch(() => [])
    return described?.state.toLowerCase() === 'stable' && described.members.length === this.#members.length
  }

  #readingsMade(): number {
    const told = this.#stories.reduce((sum, { values }) => sum + values.length, 0)
    return this.#readings.reduce((sum, n) => sum + n, told)
  }

  #missing(): number[] {
    const { missing } = timesRead([...this.#stories, ...this.#members], this.#written)
    return missing.filter(value => this.#readings[value] === 0)
  }

  async #within(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + ms
    while (!(await isSo())) {
      if (Date.now() > deadline) return false
      await sleep(100)
    }
    return true
  }

  async #write(): Promise<void> {
    const { topic, partitions, messages } = this.#options
    while (!this.#isOver) {
      for (let n = Math.ceil((messages * PAUSE_MS) / 1000); n > 0; n--) {
        const value = this.#written++
        this.#producer.produce({ topic, partition: value % partitions, value: String(value) }, ({ error }) => {
          this.#failure ??= error
        })
      }
      await sleep(PAUSE_MS)
    }
    await this.#producer.flush(READ_WITHIN_MS)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
