/** A port of localhost that leads to a broker on another one. */
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'

/** @param to `host:port` of the broker, or of several, the first of which counts */
export async function relay(port: number, to: string): Promise<Server> {
  const [host = '', brokerPort = ''] = (to.split(',')[0] ?? '').split(':')
  const server = createServer(client => {
    const broker = connect(Number(brokerPort), host)
    for (const socket of [client, broker]) {
      socket.on('error', () => {
        client.destroy()
        broker.destroy()
      })
    }
    client.pipe(broker).pipe(client)
  })
  // All addresses of localhost.
  server.listen(port)
  await once(server, 'listening')
  return server
}
