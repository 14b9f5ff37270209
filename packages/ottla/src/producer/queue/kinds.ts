/** Describes values without showing them: they may be a message's content. */
import type { Bytes } from '../../types.ts'

export function isBytes(data: unknown): data is Bytes | null | undefined {
  if (data === undefined || data === null || typeof data === 'string' || data instanceof Uint8Array) return true
  // Bytes of another realm (a vm context) fail instanceof.
  return ArrayBuffer.isView(data) && (data as Uint8Array).BYTES_PER_ELEMENT === 1
}

export function kindOf(data: unknown): string {
  if (data === null) return 'null'
  if (Array.isArray(data)) return 'an array'
  if (typeof data === 'object') return `an object (${classOf(data)})`
  return data === undefined ? 'undefined' : `a ${typeof data}`
}

function classOf(data: object): string {
  // An object without a prototype has no constructor.
  return (data as { constructor?: { name: string } }).constructor?.name ?? 'no class'
}
