/** Packages that only some applications need. */
// webpack warns of a createRequire that is imported by its name.
import * as nodeModule from 'node:module'
import { isAbsolute } from 'node:path'
import { SchemaRegistryError } from '../errors.ts'

/**
 * Loads a package at run time, in a way that bundlers ignore. Throws SchemaRegistryError MISSING_PACKAGE.
 * @param what needs it
 */
export function loadPackage(name: string, what: string): unknown {
  try {
    return loaded(name)
  } catch (cause) {
    const [scope = '', rest] = name.split('/')
    const installed = scope.startsWith('@') && rest !== undefined ? `${scope}/${rest}` : scope
    throw new SchemaRegistryError(
      'MISSING_PACKAGE',
      `${what} needs the package ${installed}: npm install ${installed}`,
      {
        cause,
      },
    )
  }
}

/** Null if it is not installed. */
export function loadPackageIfThere(name: string): unknown {
  try {
    return loaded(name)
  } catch {
    return null
  }
}

function loaded(name: string): unknown {
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
