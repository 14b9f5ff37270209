/** SCRAM credentials (RFC 5802). */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

/**
 * The mechanisms of SCRAM (KIP-84).
 * @since 0.1.0
 */
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export const scramMechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
/** Limits of iterations for AlterUserScramCredentials, as in Kafka. */
export const MIN_ITERATIONS = 4096
export const MAX_ITERATIONS = 16_384

const hashes: Readonly<Record<ScramMechanism, { readonly name: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
}

export function hmac(mechanism: ScramMechanism, key: Buffer, text: string): Buffer {
  return createHmac(hashes[mechanism].name, key).update(text).digest()
}

export function digest(mechanism: ScramMechanism, bytes: Buffer): Buffer {
  return createHash(hashes[mechanism].name).update(bytes).digest()
}

/** As in Kafka, the password is used as UTF-8 without the normalization of RFC 5802. */
export function credentialOf(
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): ScramCredential {
  const { name, bytes } = hashes[mechanism]
  return salted(mechanism, pbkdf2Sync(password, salt, iterations, bytes, name), salt, iterations)
}

/** The credential for a password that the client has salted itself (KIP-554). */
export function salted(
  mechanism: ScramMechanism,
  saltedPassword: Buffer,
  salt: Buffer,
  iterations: number,
): ScramCredential {
  const clientKey = hmac(mechanism, saltedPassword, 'Client Key')
  const serverKey = hmac(mechanism, saltedPassword, 'Server Key')
  return { salt, iterations, storedKey: digest(mechanism, clientKey), serverKey }
}
