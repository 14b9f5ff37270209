/** A group whose members join, leave and crash, and whose coordinators are killed. */
import { AdminClient, Producer, type ConsumerConfig } from 'ottla'
import { CrashableMember, type ReadCounts } from './crashable-member.ts'
import { OurMember, configOf, type Membership } from './members.ts'
import { timesRead, type MemberHistory } from './ownership.ts'

const quiet = (): void => undefined

/** The brokers to kill and restart. */
export interface Brokers {
  readonly bootstrapServers: string
  readonly ids: readonly number[]
  kill(id: number): Promise<void>
  restart(id: number): Promise<void>
}

export interface GroupStormOptions extends Membership {
  readonly brokers: Brokers
  readonly members: number
  readonly partitions: number
  readonly seconds: number
  /** Per second. */
  readonly messages: number
  readonly random: () => number
  readonly log: (line: string) => void
  /** Time in which the group must be stable afterwards, ms. */
  readonly stableWithinMs: number
}

export interface GroupStormResult {
  /** Time from the end of the faults until every partition has one owner and the group is stable, ms. */
  readonly stableAfterMs: number
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
/** Few, because threads cost more than clients. */
const MOST_CRASHABLE = 3
const READ_WITHIN_MS = 60_000

export async function groupStorm(options: GroupStormOptions): Promise<GroupStormResult> {
  return new GroupStorm(options).run()
}

class GroupStorm {
  readonly #options: GroupStormOptions
  readonly #producer: Producer
  readonly #admin: AdminClient
  readonly #members: OurMember[] = []
  readonly #histories: MemberHistory[] = []
  readonly #leaving = new Set<Promise<unknown>>()
  readonly #crashable: CrashableMember[] = []
  readonly #readCounts: ReadCounts = new Uint8Array(new SharedArrayBuffer(MOST_MESSAGES))
  #joined = 0
  #crashed = 0
  #kills = 0
  #written = 0
  #failure: Error | undefined
  #isOver = false

  constructor(options: GroupStormOptions) {
    this.#options = options
    const servers = { 'bootstrap.servers': options.bootstrapServers }
    this.#producer = new Producer({ ...servers, 'enable.idempotence': true, 'linger.ms': 5 }, { logger: quiet })
    this.#admin = new AdminClient(servers, { logger: quiet })
  }

  async run(): Promise<GroupStormResult> {
    const { members, seconds, log, stableWithinMs } = this.#options
    const writing = this.#write()
    for (let i = 0; i < members / 2; i++) this.#join()
    const end = Date.now() + seconds * 1000
    const breaking = this.#breakBrokers(end)
    while (Date.now() < end) {
      this.#disturb()
      await sleep(this.#options.random() * PAUSE_MS)
    }
    await breaking
    while (this.#crashable.length > 0) await this.#crash()
    while (this.#members.length < members) this.#join()
    log(`the storm is over: ${this.#joined} joined, ${this.#crashed} crashed, ${this.#kills} brokers killed`)
    const over = Date.now()
    const stableAfterMs = (await this.#within(stableWithinMs, () => this.#isStable())) ? Date.now() - over : Infinity
    log(`stable after ${stableAfterMs} ms`)
    this.#isOver = true
    await writing
    if (this.#failure !== undefined) throw this.#failure
    await this.#within(READ_WITHIN_MS, () => Promise.resolve(this.#missing().length === 0))
    await Promise.all(this.#members.map(member => this.#end(member)))
    await Promise.all(this.#leaving)
    await Promise.all([this.#producer.close(), this.#admin.close()])
    const missing = this.#missing()
    return {
      stableAfterMs,
      written: this.#written,
      missing,
      repeats: this.#timesRead() - (this.#written - missing.length),
      joined: this.#joined,
      crashed: this.#crashed,
      kills: this.#kills,
    }
  }

  #join(): void {
    this.#members.push(new OurMember(`ours ${++this.#joined}`, this.#options, this.#config()))
  }

  #config(): Partial<ConsumerConfig> {
    return {
      'reconnect.backoff.ms': 50,
      'reconnect.backoff.max.ms': 1000,
      ...(this.#options.protocol === 'classic' ? { 'session.timeout.ms': SESSION_MS } : {}),
    }
  }

  /** Makes one member join, leave or crash. */
  #disturb(): void {
    const { members, random, topic } = this.#options
    const kind = random()
    if (kind < 0.05) {
      if (this.#crashable.length === MOST_CRASHABLE) {
        void this.#crash()
      } else {
        const config = { ...configOf(this.#options), ...this.#config() }
        this.#crashable.push(new CrashableMember({ config, topic, readCounts: this.#readCounts }))
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
    await this.#crashable.shift()?.crash()
  }

  #leave(member: OurMember): void {
    const ended = this.#end(member)
    this.#leaving.add(ended)
    void ended.then(() => this.#leaving.delete(ended))
  }

  async #end(member: OurMember): Promise<void> {
    this.#histories.push(await member.leave())
  }

  /** Kills one broker at a time, often the coordinator, and restarts it. */
  async #breakBrokers(end: number): Promise<void> {
    const { brokers, random, log, group } = this.#options
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
      log(`broker ${id} killed (${this.#members.length} members)`)
      await sleep(500 + random() * 2000)
      await brokers.restart(id)
      log(`broker ${id} is back`)
    }
  }

  async #isStable(): Promise<boolean> {
    const { partitions, group } = this.#options
    const owned = this.#members.flatMap(({ consumer }) => consumer.assignment().map(({ partition }) => partition))
    if (owned.length !== partitions || new Set(owned).size !== partitions) return false
    const [described] = await this.#admin.describeConsumerGroups([group]).catch(() => [])
    return described?.state.toLowerCase() === 'stable' && described.members.length === this.#members.length
  }

  #timesRead(): number {
    const byOthers = this.#histories.reduce((sum, { values }) => sum + values.length, 0)
    return this.#readCounts.reduce((sum, n) => sum + n, byOthers)
  }

  #missing(): number[] {
    const { missing } = timesRead([...this.#histories, ...this.#members], this.#written)
    return missing.filter(value => this.#readCounts[value] === 0)
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
