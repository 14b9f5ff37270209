// A hook of Node's module loader: tests that import the client or the embedded cluster get it from those who note what
// is made (open-things.ts). What the packages import of each other stays as it is.
const watched = [
  ['/packages/ottla/src/index.ts', new URL('watched-ottla.ts', import.meta.url).href],
  ['/packages/broker/src/index.ts', new URL('watched-broker.ts', import.meta.url).href],
]

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  const parent = context.parentURL ?? ''
  if (!parent.includes('/test/') || parent.includes('/harness/each-test/')) return found
  const [, url] = watched.find(([end]) => found.url.split('?')[0].endsWith(end)) ?? []
  return url === undefined ? found : { ...found, url, shortCircuit: true }
}
