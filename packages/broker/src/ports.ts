import { createServer } from 'node:net'

/**
 * Whether `count` ports from `first` on are free to listen on, for a cluster with fixed ports.
 * @since 0.1.0
 */
export async function portsAreFree(first: number, count: number, host = '127.0.0.1'): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    const free = await new Promise<boolean>(resolve => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, host, () => server.close(() => resolve(true)))
    })
    if (!free) return false
  }
  return true
}
