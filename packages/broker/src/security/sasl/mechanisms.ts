/** The SASL mechanisms. */
import type { ListenerLogIn, LogIn } from '../log-in.ts'
import type { SaslExchange } from './exchange.ts'
import { OAuthBearerExchange } from './oauthbearer.ts'
import { PlainExchange } from './plain.ts'
import { ScramExchange } from './scram.ts'
import { MIN_ITERATIONS, credentialOf, type ScramMechanism } from './scram-credential.ts'

const NONCE_BYTES = 18
const SALT_BYTES = 20

/** @param mechanism one of the listener's */
export function startExchange(
  mechanism: string,
  logIn: LogIn,
  { validateToken }: Pick<ListenerLogIn, 'validateToken'>,
): SaslExchange {
  switch (mechanism) {
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return scram(mechanism, logIn)
    case 'OAUTHBEARER':
      return new OAuthBearerExchange(validateToken)
    case 'PLAIN':
    default:
      return new PlainExchange(logIn.users)
  }
}

function scram(mechanism: ScramMechanism, { users, tokens, random }: LogIn): SaslExchange {
  return new ScramExchange(mechanism, {
    user: name => {
      const credential = users.scram(name, mechanism)
      return credential === undefined ? undefined : { credential, name, expiresAt: null }
    },
    token: id => {
      const token = tokens.valid(id)
      if (token === undefined) return undefined
      const salt = random.bytes(SALT_BYTES)
      const credential = credentialOf(mechanism, token.hmac.toString('base64'), salt, MIN_ITERATIONS)
      return { credential, name: token.owner.slice(token.owner.indexOf(':') + 1), expiresAt: token.expiresAt }
    },
    nonce: () => random.bytes(NONCE_BYTES).toString('base64url'),
  })
}
