/** Members of a group: ours in this process, other clients' in theirs. */
import { Consumer, type ConsumerConfig, type LogSink } from 'ottla'
import type { Peer } from '../../foreign/peer.ts'
import type { Move, Story } from './ownership.ts'

const WARNING = 4

export interface Membership {
  readonly bootstrapServers: string
  readonly group: string
  readonly topic: string
  readonly protocol: 'classic' | 'consumer'
  /** Of the members under the classic protocol, of the broker under the other. */
  readonly assignor: string
}

export interface Member {
  readonly name: string
  /** How many messages it got so far. */
  received(): Promise<number>
  /** Leaves in good order, and tells everything. */
  leave(): Promise<Story>
}

/** What our members are configured with. */
export function configOf({ bootstrapServers, group, protocol, assignor }: Membership): ConsumerConfig {
  const shared = {
    'bootstrap.servers': bootstrapServers,
    'group.id': group,
    'auto.offset.reset': 'earliest',
    'auto.commit.interval.ms': 200,
    'fetch.wait.max.ms': 100,
  } as const
  return protocol === 'consumer'
    ? { ...shared, 'group.protocol': 'consumer', 'group.remote.assignor': assignor }
    : { ...shared, 'partition.assignment.strategy': assignor, 'heartbeat.interval.ms': 100 }
}

/** One of ours: reads all the time, at least once, and commits when partitions are given up. */
export class OurMember implements Member {
  readonly name: string
  readonly values: string[] = []
  readonly moves: Move[] = []
  readonly errors: unknown[] = []
  /** Warnings and worse. */
  readonly complaints: string[] = []
  readonly consumer: Consumer
  readonly #reading: Promise<void>

  constructor(name: string, membership: Membership, config: ConsumerConfig = {}) {
    this.name = name
    this.consumer = new Consumer({ ...configOf(membership), ...config }, { logger: (...entry) => this.#log(...entry) })
    this.consumer.subscribe(membership.topic, ({ type, partitions }) => {
      this.moves.push({ type, partitions: partitions.map(({ partition }) => partition), at: Date.now() })
    })
    this.#reading = this.#read()
  }

  received(): Promise<number> {
    return Promise.resolve(this.values.length)
  }

  async leave(): Promise<Story> {
    await this.consumer.close()
    await this.#reading
    return { name: this.name, values: this.values, moves: this.moves, complaints: this.complaints }
  }

  #log(...[level, facility, message]: Parameters<LogSink>): void {
    if (level <= WARNING) this.complaints.push(`${facility}: ${message}`)
  }

  async #read(): Promise<void> {
    while (!this.consumer.closed) {
      try {
        for await (const { value } of this.consumer) this.values.push(String(value))
      } catch (error) {
        // What an iterator rejects with is told once; the member goes on.
        this.errors.push(error)
      }
    }
  }
}

/** A member in the process of another client. */
export class TheirMember implements Member {
  readonly name: string
  readonly #peer: Peer

  private constructor(name: string, peer: Peer) {
    this.name = name
    this.#peer = peer
  }

  static async join(name: string, peer: Peer, membership: Membership): Promise<TheirMember> {
    const { group, topic, protocol, assignor } = membership
    await peer.ask({ do: 'join', member: name, group, topic, protocol, assignor })
    return new TheirMember(name, peer)
  }

  async received(): Promise<number> {
    const values = (await this.#peer.ask({ do: 'received', member: this.name })) as readonly string[]
    return values.length
  }

  async leave(): Promise<Story> {
    const told = (await this.#peer.ask({ do: 'leave', member: this.name })) as Omit<Story, 'name'>
    return { name: this.name, ...told }
  }
}
