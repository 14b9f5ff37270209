/** The shared output buffer of codecs. */

const RETAINED_BYTES = 2 * 1024 * 1024

let room: Buffer | null = null

/**
 * At least `bytes` of memory with arbitrary content, the same on each call: new memory for every batch would cost more
 * than a fast codec's own work, in page faults and garbage collections.
 */
export function compressionRoom(bytes: number): Buffer {
  if (room !== null && room.length >= bytes) return room
  const made = Buffer.allocUnsafeSlow(bytes)
  if (bytes <= RETAINED_BYTES) room = made
  return made
}
