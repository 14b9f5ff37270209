/** node:zlib, loaded by what first needs it: most programs compress with something else, or nothing. */

type Zlib = typeof import('node:zlib')

let loaded: Zlib | null = null

export function zlib(): Zlib {
  return (loaded ??= process.getBuiltinModule('node:zlib'))
}
