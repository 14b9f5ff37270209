/** Bytes that are hard on codecs, always the same. */
export function samples(): Map<string, Buffer> {
  return (made ??= make())
}

let made: Map<string, Buffer> | null = null

function make(): Map<string, Buffer> {
  const random = randomBytes()
  const map = new Map<string, Buffer>()
  const json = Buffer.from(
    Array.from(
      { length: 20_000 },
      (_, i) => `{"id":${i},"name":"user ${(i * 7919) % 997}","active":${i % 3 === 0}}`,
    ).join(),
  )
  const noise = random(10_000_000)
  map.set('empty', Buffer.alloc(0))
  map.set('json', json)
  map.set('10 MB of noise', noise)
  map.set('10 MB of text', Buffer.alloc(10_000_000, json))
  map.set('10 MB of zeros', Buffer.alloc(10_000_000))
  for (const size of [1, 2, 4, 5, 11, 12, 13, 14, 15, 16, 64, 100, 255, 256, 270, 32_768, 65_535, 65_536, 65_537]) {
    map.set(`${size} bytes of noise`, noise.subarray(0, size))
    map.set(`${size} bytes of one letter`, Buffer.alloc(size, 'x'))
    map.set(`${size} bytes of three letters`, Buffer.alloc(size, 'abc'))
  }
  // The same block again at the farthest distances the formats allow, and just past them.
  for (const distance of [32_767, 32_768, 65_535, 65_536]) {
    map.set(`noise again after ${distance}`, Buffer.concat([noise.subarray(0, distance), noise.subarray(0, distance)]))
  }
  map.set('zeros in noise', Buffer.concat([noise.subarray(0, 70_000), Buffer.alloc(70_000), noise.subarray(0, 70_000)]))
  return map
}

/** xorshift32: the tests need the same noise on every run. */
function randomBytes(): (length: number) => Buffer {
  let state = 20_261_123
  return length => {
    const bytes = Buffer.alloc(length)
    for (let i = 0; i < length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      bytes[i] = state
    }
    return bytes
  }
}
