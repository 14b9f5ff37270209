/** Every request that a broker gets, in the trace. */
import type { World } from './world.ts'

export function traceWire(world: World): void {
  world.cluster.control(({ apiName, apiVersion, brokerId, clientId, body }) => {
    world.note(`WIRE ${clientId} > broker-${brokerId} ${apiName} v${apiVersion} ${inShort(body)}`)
    return undefined
  })
}

const MOST_CHARACTERS = 300

// Bytes by their number, and nothing that is empty.
function inShort(body: unknown): string {
  const text = JSON.stringify(body, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    if (isBytes(value)) return `${value.data.length} bytes`
    return value
  })
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text
}

function isBytes(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
}
