/** A share group whose members join and leave, on brokers that crash: every message must be processed and accepted. */
import { AdminClient, Producer, ShareConsumer } from 'ottla'
import type { Brokers } from '../groups/group-storm.ts'

const quiet = (): void => undefined

export interface ShareChaos {
  readonly brokers: Brokers
  readonly topic: string
  readonly group: string
  readonly partitions: number
  readonly members: number
  readonly seconds: number
  /** Per second. */
  readonly messages: number
  /** It goes on until more than so many are written, however slow the machine; left out: 0. */
  readonly leastMessages?: number
  readonly random: () => number
  readonly log: (line: string) => void
  /** Time in which all messages must be processed afterwards, ms. */
  readonly doneWithinMs: number
}

export interface ShareChaosResult {
  readonly written: number
  readonly missing: readonly number[]
  /** Messages processed again. */
  readonly repeats: number
  /** Messages delivered again after a broker had confirmed that they were accepted. */
  readonly afterAccepted: number
  readonly kills: number
  readonly joined: number
}

const PAUSE_MS = 50
const FAILURES = 0.02
const SLOW = 0.02

interface Member {
  readonly consumer: ShareConsumer
  readonly running: Promise<void>
}

export async function shareChaos(options: ShareChaos): Promise<ShareChaosResult> {
  return new Chaos(options).run()
}

class Chaos {
  readonly #options: ShareChaos
  readonly #servers: { readonly 'bootstrap.servers': string }
  readonly #members: Member[] = []
  readonly #done = new Map<number, number>()
  /** `partition:offset` of messages whose acceptance a broker has confirmed. */
  readonly #accepted = new Set<string>()
  readonly #answers = new Map<string, 'accept' | 'release'>()
  #afterAccepted = 0
  #written = 0
  #kills = 0
  #joined = 0

  constructor(options: ShareChaos) {
    this.#options = options
    this.#servers = { 'bootstrap.servers': options.brokers.bootstrapServers }
  }

  async run(): Promise<ShareChaosResult> {
    const { members, seconds, random, brokers, log, doneWithinMs, leastMessages = 0 } = this.#options
    await this.#prepare()
    const over = new AbortController()
    const writing = this.#write(over.signal)
    for (let i = 0; i < members; i++) this.#join()
    const ends = Date.now() + seconds * 1000
    // Both kinds of fault occur, however short the time and slow the machine.
    for (let round = 0; Date.now() < ends || round < 2 || this.#written <= leastMessages; round++) {
      await pause(Math.min(1500, seconds * 60) * (0.5 + random()))
      if (round === 0 || (round > 1 && random() < 0.3)) {
        const id = brokers.ids[Math.floor(random() * brokers.ids.length)] ?? 1
        log(`broker ${id} is killed`)
        this.#kills++
        await brokers.kill(id)
        await pause(Math.min(3000, seconds * 50))
        await brokers.restart(id)
      } else {
        log('a member leaves, another one joins')
        await this.#leave()
        this.#join()
      }
    }
    over.abort()
    await writing
    const latest = Date.now() + doneWithinMs
    while (this.#done.size < this.#written && Date.now() < latest) await pause(PAUSE_MS)
    while (this.#members.length > 0) await this.#leave()
    const all = Array.from({ length: this.#written }, (_, i) => i)
    return {
      written: this.#written,
      missing: all.filter(i => !this.#done.has(i)),
      repeats: [...this.#done.values()].reduce((sum, times) => sum + times - 1, 0),
      afterAccepted: this.#afterAccepted,
      kills: this.#kills,
      joined: this.#joined,
    }
  }

  async #prepare(): Promise<void> {
    const { group } = this.#options
    const admin = new AdminClient(this.#servers, { logger: quiet })
    const settings = {
      'share.auto.offset.reset': 'earliest',
      'share.record.lock.duration.ms': '15000',
      'share.delivery.count.limit': '10',
    }
    const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
    const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    await admin.close()
    if (altered?.error !== undefined) throw altered.error
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { topic, partitions, messages } = this.#options
    const producer = new Producer({ ...this.#servers, 'linger.ms': 5 }, { logger: quiet })
    while (!signal.aborted) {
      const batch = Array.from({ length: Math.ceil((messages * PAUSE_MS) / 1000) }, (_, i) => ({
        topic,
        partition: (this.#written + i) % partitions,
        value: String(this.#written + i),
      }))
      for (const { error } of await producer.sendBatch(batch)) if (error !== undefined) throw error
      this.#written += batch.length
      await pause(PAUSE_MS)
    }
    await producer.close()
  }

  #join(): void {
    const { group, topic, random } = this.#options
    this.#joined++
    const config = { ...this.#servers, 'group.id': group, 'max.poll.records': 100 }
    const consumer = new ShareConsumer(config, { logger: quiet })
    consumer.subscribe(topic)
    consumer.on('acknowledged', ({ partition, offsets, error }) => {
      if (error !== undefined) return
      for (const offset of offsets) {
        const key = `${partition}:${offset}`
        if (this.#answers.get(`${consumer.memberId}:${key}`) === 'accept') this.#accepted.add(key)
      }
    })
    const answer = (partition: number, offset: number, outcome: 'accept' | 'release'): typeof outcome => {
      this.#answers.set(`${consumer.memberId}:${partition}:${offset}`, outcome)
      return outcome
    }
    const running = consumer.run({
      concurrency: 4,
      handler: async ({ partition, offset, value }) => {
        if (this.#accepted.has(`${partition}:${offset}`)) this.#afterAccepted++
        if (random() < SLOW) await pause(100)
        if (random() < FAILURES) return answer(partition, offset, 'release')
        const number = Number(value)
        this.#done.set(number, (this.#done.get(number) ?? 0) + 1)
        return answer(partition, offset, 'accept')
      },
    })
    this.#members.push({ consumer, running })
  }

  async #leave(): Promise<void> {
    const member = this.#members.shift()
    await member?.consumer.close()
    await member?.running
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
