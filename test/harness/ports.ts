import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const taken = new Set<number>()

/**
 * Free ports below the system's range for outgoing connections. A port of that range could be taken by a connection
 * while its broker is down, or a client could even connect to itself.
 */
export async function freePorts(count: number): Promise<number[]> {
  const [low, high] = [10_000, outgoingFrom()]
  const ports: number[] = []
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 1000) throw new Error(`found only ${ports.length} of ${count} free ports between ${low} and ${high}`)
    const port = low + Math.floor(Math.random() * (high - low))
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    ports.push(port)
  }
  return ports
}

export function returnPorts(ports: readonly number[]): void {
  for (const port of ports) taken.delete(port)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen(port, '127.0.0.1', () =>
      server.close(() => {
        resolve(true)
      }),
    )
  })
}

function outgoingFrom(): number {
  try {
    const low = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0])
    return low > 12_000 ? low : 32_768
  } catch {
    return 32_768
  }
}
