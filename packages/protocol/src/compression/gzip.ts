/** gzip, with node:zlib. */

import { zlib } from '../wire/zlib.ts'
import type { CompressionCodec } from './codec.ts'
import { levelWithin } from './level.ts'
import { inflateLimited } from './zlib-limit.ts'

export const gzip: CompressionCodec = {
  name: 'gzip',
  id: 1,
  minLevel: 0,
  maxLevel: 9,
  ready: () => null,
  compress: (data, level = -1) => zlib().gzipSync(data, { level: levelWithin(gzip, level, -1) }),
  compressBeside: (data, level = -1) =>
    new Promise((resolve, reject) => {
      zlib().gzip(data, { level: levelWithin(gzip, level, -1) }, (error, compressed) => {
        if (error === null) resolve(compressed)
        else reject(error)
      })
    }),
  decompress: (data, maxBytes) => inflateLimited('gzip', zlib().gunzipSync, data, maxBytes),
  implementation: () => 'node:zlib',
}
