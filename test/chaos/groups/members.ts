/** Members of a group: ours in this process, those of other clients in theirs. */
import { Consumer, type ConsumerConfig, type LogSink } from 'ottla'
import type { Peer } from '../../foreign/peer.ts'
import type { Move, MemberHistory } from './ownership.ts'

const WARNING = 4

export interface Membership {
  readonly bootstrapServers: string
  readonly group: string
  readonly topic: string
  readonly protocol: 'classic' | 'consumer'
  /** The members' assignor with the classic protocol, the broker's with the other. */
  readonly assignor: string
}

export interface Member {
  readonly name: string
  /** The number of messages received so far. */
  received(): Promise<number>
  /** Leaves the group and returns the member's history. */
  leave(): Promise<MemberHistory>
}

/** The configuration of our members. */
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

/** One of ours: reads continuously, at least once, and commits when partitions are revoked. */
export class OurMember implements Member {
  readonly name: string
  readonly values: string[] = []
  readonly moves: Move[] = []
  readonly errors: unknown[] = []
  /** Logged warnings and errors. */
  readonly complaints: string[] = []
  readonly consumer: Consumer
  readonly #reading: Promise<void>

  constructor(name: string, membership: Membership, config: Partial<ConsumerConfig> = {}) {
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

  async leave(): Promise<MemberHistory> {
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
        // An iterator rejects once with an error; the member reads on.
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

  async leave(): Promise<MemberHistory> {
    const history = (await this.#peer.ask({ do: 'leave', member: this.name })) as Omit<MemberHistory, 'name'>
    return { name: this.name, ...history }
  }
}
