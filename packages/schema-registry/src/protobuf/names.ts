/** Full names of what `.proto` files declare, and which one a name in a file means. */
import type { ProtoFile, ProtoMessage, ProtoType } from './types.ts'

export class ProtoNames {
  readonly #types = new Map<string, ProtoType['kind']>()

  constructor(files: Iterable<ProtoFile>) {
    for (const file of files) this.#add(file.types, file.package)
  }

  kindOf(fullName: string): ProtoType['kind'] | undefined {
    return this.#types.get(fullName)
  }

  /** The full name of what `name` means in a scope, the full name of a message or a package; null if nothing is known. */
  resolve(name: string, scope: string): string | null {
    if (name.startsWith('.')) return this.#types.has(name.slice(1)) ? name.slice(1) : null
    for (let around = scope; around !== ''; around = outer(around)) {
      const full = `${around}.${name}`
      if (this.#types.has(full)) return full
    }
    return this.#types.has(name) ? name : null
  }

  #add(types: readonly ProtoType[], scope: string): void {
    for (const type of types) {
      const full = joined(scope, type.name)
      this.#types.set(full, type.kind)
      if (type.kind === 'message') this.#add(type.types, full)
    }
  }
}

export function joined(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

function outer(scope: string): string {
  return scope.slice(0, Math.max(0, scope.lastIndexOf('.')))
}

/** As protoc makes it: `prices_by_day` is `pricesByDay`. */
export function jsonName(field: string): string {
  return field.replaceAll(/_+([^_]?)/g, (_, first: string) => first.toUpperCase())
}

/** A message with its full name, and where it is: the index of each message around it, and its own. */
export interface PlacedMessage {
  readonly name: string
  readonly message: ProtoMessage
  readonly indexes: readonly number[]
}

/** All messages of a file, the inner ones behind those around them. */
export function* placedMessages(
  types: readonly ProtoType[],
  scope: string,
  above: readonly number[] = [],
): Generator<PlacedMessage> {
  let index = 0
  for (const message of types) {
    if (message.kind !== 'message') continue
    const name = joined(scope, message.name)
    const indexes = [...above, index++]
    yield { name, message, indexes }
    yield* placedMessages(message.types, name, indexes)
  }
}
