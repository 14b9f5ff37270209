import type { Random } from '../base/random.ts'
import type { ValidateToken } from './sasl/oauthbearer.ts'
import type { TokenStore } from './tokens.ts'
import type { UserStore } from './users.ts'

/** What log-ins depend on at every listener. */
export interface LogIn {
  readonly users: UserStore
  readonly tokens: TokenStore
  /** For salts and nonces. */
  readonly random: Random
}

/** How clients of one listener log in. */
export interface ListenerLogIn {
  readonly name: string
  /** Its place among the listeners of a broker. */
  readonly index: number
  /** The SASL mechanisms; empty: nobody has to log in. */
  readonly mechanisms: readonly string[]
  readonly validateToken: ValidateToken
  /** 0: sessions do not expire. */
  readonly maxReauthMs: number
}
