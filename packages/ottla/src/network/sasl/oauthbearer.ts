/** SASL OAUTHBEARER (RFC 7628, KIP-255, extensions by KIP-342). */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'
import type { OAuthBearerToken } from '../../types.ts'
import type { SaslExchange, SaslMechanism } from './mechanism.ts'
import type { TokenSource } from './oauth/token-source.ts'

const SEPARATOR = '\x01'
const LONGEST_REFUSAL = 500

export class OAuthBearerMechanism implements SaslMechanism {
  readonly name = 'OAUTHBEARER'
  /** The client's token, shared by all its connections. */
  readonly tokens: TokenSource

  constructor(tokens: TokenSource) {
    this.tokens = tokens
  }

  exchange(): SaslExchange {
    let refusal: string | null = null
    return {
      start: async () => firstMessage(await this.tokens.get()),
      next: challenge => {
        if (challenge.length === 0) return null
        // The broker's token is its reason for a refusal; it ends the exchange once this is acknowledged.
        if (refusal !== null) throw new KafkaError(ErrorCode.ERR__AUTHENTICATION, refusal)
        refusal = printable(challenge)
        return Buffer.from(SEPARATOR)
      },
    }
  }

  close(): void {
    this.tokens.close()
  }
}

/** Short JSON by the RFC, but it may be anything, and it goes into logs. */
function printable(challenge: Buffer): string {
  return challenge.toString('latin1', 0, LONGEST_REFUSAL).replaceAll(/[^\x20-\x7e]/g, '?')
}

function firstMessage({ tokenValue, extensions = {} }: OAuthBearerToken): Buffer {
  const pairs = [`auth=Bearer ${tokenValue}`, ...Object.entries(extensions).map(([name, value]) => `${name}=${value}`)]
  return Buffer.from(`n,,${SEPARATOR}${pairs.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`, 'utf8')
}
