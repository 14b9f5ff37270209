/**
 * Loads a package that an application installs only if it needs it, in a way that bundlers ignore. Throws what `require`
 * throws.
 */
export function loadPackage(name: string): unknown {
  const { createRequire } = process.getBuiltinModule('node:module')
  try {
    // A bundle in CommonJS form has no import.meta.url, but a __filename.
    return createRequire(typeof __filename === 'string' ? __filename : import.meta.url)(name) as unknown
  } catch (error) {
    // Some bundlers leave the path of the source in import.meta.url, which is not where the program runs.
    const main = process.argv[1]
    if (main === undefined || !process.getBuiltinModule('node:path').isAbsolute(main)) throw error
    return createRequire(main)(name) as unknown
  }
}
