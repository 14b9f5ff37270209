import type { Random } from '../base/random.ts'
import type { ValidateToken } from './sasl/oauthbearer.ts'
import type { TokenStore } from './tokens.ts'
import type { UserStore } from './users.ts'

/** What it takes to log in, and for how long that is good. */
export interface LogIn {
  /** Of SASL; none: nobody has to log in. */
  readonly mechanisms: readonly string[]
  readonly users: UserStore
  readonly tokens: TokenStore
  readonly validateToken: ValidateToken
  /** 0: none. */
  readonly maxReauthMs: number
  /** For salts and nonces. */
  readonly random: Random
}
