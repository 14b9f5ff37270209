/** Loads native add-ons that may be absent, in a way that bundlers leave alone. */

import { createRequire } from 'node:module'

/**
 * Loads an optional package, or gives null when it is absent, broken, built for another platform or switched off by
 * the environment variable `OTTLA_NO_NATIVE=1`.
 *
 * @since 0.1.0
 */
export function loadOptional(name: string): unknown {
  if (process.env['OTTLA_NO_NATIVE'] === '1') return null
  try {
    // A bundle in CommonJS form has no import.meta.url, but a __filename.
    const here = typeof __filename === 'string' ? __filename : import.meta.url
    const load = createRequire(here)
    return load(name) as unknown
  } catch {
    return null
  }
}
