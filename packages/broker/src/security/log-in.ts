import type { Random } from '../base/random.ts'
import type { ValidateToken } from './sasl/oauthbearer.ts'
import type { TokenStore } from './tokens.ts'
import type { UserStore } from './users.ts'

/** What log-ins depend on. */
export interface LogIn {
  /** The SASL mechanisms; empty: nobody has to log in. */
  readonly mechanisms: readonly string[]
  readonly users: UserStore
  readonly tokens: TokenStore
  readonly validateToken: ValidateToken
  /** 0: sessions do not expire. */
  readonly maxReauthMs: number
  /** For salts and nonces. */
  readonly random: Random
}
