import type { ClientConfig } from 'ottla'

/** A cluster of three brokers with SASL PLAIN, ACLs and automatic topic creation, real or embedded. */
export interface World {
  readonly kind: 'kafka' | 'embedded'
  /** Listeners that require SASL PLAIN. */
  readonly bootstrapServers: string
  /** Kills the broker like a crash; its partitions get new leaders. */
  kill(brokerId: number): Promise<void>
  /** Restarts a killed broker with its old address. */
  restart(brokerId: number): Promise<void>
  close(): Promise<void>
}

/** Every user's password is the name followed by `password`; `admin` may do everything. */
export const users = ['admin', 'alice', 'bob', 'mallory'] as const
export type User = (typeof users)[number]

export const passwords: Record<string, string> = Object.fromEntries(users.map(user => [user, `${user}password`]))

/** Connection settings of one user. */
export function as(world: World, user: User): ClientConfig {
  return {
    'bootstrap.servers': world.bootstrapServers,
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': user,
    'sasl.password': passwords[user] ?? '',
    'client.id': user,
  }
}

let names = 0
const run = process.pid.toString(36) + Date.now().toString(36)

/** A name that no other test uses. */
export function fresh(prefix: string): string {
  return `${prefix}-${run}-${++names}`
}
