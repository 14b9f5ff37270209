/** node:zlib, loaded on first use: most applications use another codec, or none. */

import type * as Zlib from 'node:zlib'

let loaded: typeof Zlib | null = null

export function zlib(): typeof Zlib {
  return (loaded ??= process.getBuiltinModule('node:zlib'))
}
