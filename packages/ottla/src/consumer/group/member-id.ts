import type { Random } from '../../base/random.ts'

const BYTES = 16

/** A unique member id in Kafka's form: a UUID as 22 characters of base64. */
export function newMemberId(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(Array.from({ length: BYTES }, () => Math.floor(random() * 256)))
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    const id = bytes.toString('base64url')
    // An id that looks like an option is a nuisance on command lines.
    if (!id.startsWith('-')) return id
  }
}
