/** node:zlib, loaded by what first needs it: most programs compress with something else, or nothing. */

import type * as Zlib from 'node:zlib'

let loaded: typeof Zlib | null = null

export function zlib(): typeof Zlib {
  return (loaded ??= process.getBuiltinModule('node:zlib'))
}
