/** No compression, as a codec. */

import { ProtocolError } from '../wire/protocol-error.ts'
import { asBuffer } from '../wire/view.ts'
import type { CompressionCodec } from './codec.ts'

export const none: CompressionCodec = {
  name: 'none',
  id: 0,
  minLevel: -1,
  maxLevel: -1,
  ready: () => null,
  compress: data => asBuffer(data),
  decompress(data, maxBytes) {
    if (data.length > maxBytes) throw new ProtocolError(`${data.length} bytes are over the limit of ${maxBytes}`)
    return asBuffer(data)
  },
  implementation: () => 'none',
}
