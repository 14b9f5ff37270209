import type { Random } from '../../base/random.ts'

const BYTES = 16

/** A name that no other member has, in the form of Kafka's: a UUID in 22 letters of base64. */
export function newMemberId(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(Array.from({ length: BYTES }, () => Math.floor(random() * 256)))
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    const id = bytes.toString('base64url')
    // One that looks like an option is a nuisance on command lines.
    if (!id.startsWith('-')) return id
  }
}
