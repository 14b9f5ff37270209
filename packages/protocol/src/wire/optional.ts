/** Loads packages that may be absent, in a way that bundlers ignore. */

// webpack warns of a createRequire that is imported by its name.
import * as nodeModule from 'node:module'
import { isAbsolute } from 'node:path'

/**
 * Loads a native add-on. Null if it is absent, broken, built for another platform or turned off by the environment
 * variable `OTTLA_NO_NATIVE=1`.
 *
 * @internal
 */
export function loadNative(name: string): unknown {
  if (process.env['OTTLA_NO_NATIVE'] === '1') return null
  try {
    return loadPackage(name)
  } catch {
    return null
  }
}

/**
 * Loads a package at run time, so that a bundle neither contains nor needs it. Throws what `require` throws.
 *
 * @internal
 */
export function loadPackage(name: string): unknown {
  // A bundle in CommonJS form has no import.meta.url, but a __filename.
  const here = typeof __filename === 'string' ? __filename : import.meta.url
  try {
    return nodeModule.createRequire(here)(name) as unknown
  } catch (error) {
    // Some bundlers leave the path of the source in import.meta.url, which is not where the program runs.
    const main = process.argv[1]
    if (main === undefined || !isAbsolute(main)) throw error
    return nodeModule.createRequire(main)(name) as unknown
  }
}
