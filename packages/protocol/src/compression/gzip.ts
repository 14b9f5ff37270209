/** gzip by node:zlib. */

import { gunzipSync, gzipSync } from 'node:zlib'
import type { CompressionCodec } from './codec.ts'
import { levelWithin } from './level.ts'
import { inflateLimited } from './zlib-limit.ts'

export const gzip: CompressionCodec = {
  name: 'gzip',
  id: 1,
  minLevel: 0,
  maxLevel: 9,
  ready: () => null,
  compress: (data, level = -1) => gzipSync(data, { level: levelWithin(gzip, level, -1) }),
  decompress: (data, maxBytes) => inflateLimited('gzip', gunzipSync, data, maxBytes),
  implementation: () => 'node:zlib',
}
