/** node:crypto, loaded on first use: applications without passwords do not need it. */
import type * as Crypto from 'node:crypto'

export const crypto = (): typeof Crypto => process.getBuiltinModule('node:crypto')

/** PBKDF2, on another thread. */
export function derive(
  password: string | Uint8Array,
  salt: Uint8Array,
  iterations: number,
  bytes: number,
  hash: string,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    crypto().pbkdf2(password, salt, iterations, bytes, hash, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
