/** What workloads need of their clusters. */
import type { SimulationOptions } from '@ottla/broker/simulation'
import type { Plan } from './plan.ts'

/** May do everything, where there are users. */
export const administrator = { username: 'admin', password: 'admin-secret' } as const

/** Where there are users, the sessions of every third pair of seeds end: so long they last, ms; 0: for ever. */
export function sessionMsOf({ seed }: Pick<Plan, 'seed'>): number {
  return Math.floor(seed / 2) % 3 === 0 ? 20_000 : 0
}

export function clusterOf(plan: Plan): NonNullable<SimulationOptions['cluster']> {
  if (plan.workload !== 'access') return {}
  const { username, password } = administrator
  return {
    sasl: {
      mechanisms: ['PLAIN', 'SCRAM-SHA-256'],
      users: { [username]: password },
      maxReauthMs: sessionMsOf(plan),
    },
    acls: [],
    superUsers: [username],
  }
}
