/** Random bytes: the system's, or reproducible ones. */
import { randomBytes } from 'node:crypto'

export interface Random {
  bytes(count: number): Buffer
}

export const systemRandom: Random = { bytes: randomBytes }

/** The same bytes for the same seed; not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  // Mulberry32.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    bytes: count => {
      const bytes = Buffer.alloc(count)
      for (let i = 0; i < count; i++) bytes[i] = next() & 0xff
      return bytes
    },
  }
}

/** A producer id of up to 63 bits. */
export function randomProducerId(random: Random): bigint {
  return BigInt.asUintN(63, random.bytes(8).readBigUInt64BE()) || 1n
}

/** A UUID as Kafka writes it: 16 bytes in base64url. */
export function newUuid(random: Random): string {
  return random.bytes(16).toString('base64url')
}

/** A UUID with dashes. */
export function dashedUuid(random: Random): string {
  return random
    .bytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
