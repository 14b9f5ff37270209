/** A pool of buffers for open batches, so that a steady producer allocates none. */

const SMALLEST_SHIFT = 12
const LARGEST_SHIFT = 20
/** Limit of the free lists together; more is left to the garbage collector. */
const RETAINED_BYTES_LIMIT = 32 * 1024 * 1024

const free: Buffer[][] = []
for (let shift = SMALLEST_SHIFT; shift <= LARGEST_SHIFT; shift++) free.push([])
let retainedBytes = 0

/** A buffer of at least `bytes` with arbitrary content: a power of two from 4 KiB to 1 MiB, exact beyond. */
export function takeBuffer(bytes: number): Buffer {
  if (bytes > 1 << LARGEST_SHIFT) return Buffer.allocUnsafeSlow(bytes)
  const shift = Math.max(SMALLEST_SHIFT, 32 - Math.clz32(bytes - 1))
  const list = free[shift - SMALLEST_SHIFT] as Buffer[] // one list for each shift in the range
  const buffer = list.pop()
  if (buffer === undefined) return Buffer.allocUnsafeSlow(1 << shift)
  retainedBytes -= buffer.length
  return buffer
}

/** Returns a buffer to the pool. It must not be used afterwards. */
export function giveBuffer(buffer: Buffer): void {
  const bytes = buffer.length
  if (bytes > 1 << LARGEST_SHIFT || retainedBytes + bytes > RETAINED_BYTES_LIMIT) return
  const list = free[31 - Math.clz32(bytes) - SMALLEST_SHIFT] as Buffer[] // made by takeBuffer, so it has one of its sizes
  retainedBytes += bytes
  list.push(buffer)
}
