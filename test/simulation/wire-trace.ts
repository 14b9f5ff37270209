/** What goes over the wire, in the trace: every request that a broker gets, and every chunk that arrives. */
import { createHash } from 'node:crypto'
import type { World } from './world.ts'

const MOST_CHARACTERS = 300

export function traceWire(world: World): void {
  world.cluster.control(({ apiName, apiVersion, brokerId, clientId, body }) => {
    world.note(`WIRE ${clientId} > broker-${brokerId} ${apiName} v${apiVersion} ${inShort(body)}`)
    return undefined
  })
  world.simulation.network.observe({
    onArrival: (from, to, connection, data) => {
      const digest = createHash('sha1').update(data).digest('hex').slice(0, 8)
      world.note(`WIRE ${from} > ${to} #${connection}: ${data.length} bytes, ${digest}`)
    },
  })
}

// Bytes by their number.
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
