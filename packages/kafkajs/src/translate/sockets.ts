/** kafkajs's socket factories as a network of `ottla`. */
import { isIP } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Network } from 'ottla'
import type { ISocketFactory } from '../types/client.ts'

const KEEP_ALIVE_MS = 60_000

/**
 * A network whose sockets the factory makes. It does TLS itself, if there is any, and resolves names.
 * @param ssl handed to the factory
 */
export function factoryNetwork(factory: ISocketFactory, ssl: ConnectionOptions | undefined): Network {
  return {
    // The factory wants the name.
    lookup: (name, _options, callback) => callback(null, [{ address: name, family: 4 }]),
    connect: ({ host, port }) => {
      let isOpen = false
      const onConnect = (): void => {
        // A socket that comes through a proxy may emit no `connect` of its own.
        queueMicrotask(() => {
          if (!isOpen) socket.emit('connect')
        })
      }
      const socket = factory({ host, port, ssl: ssl as ConnectionOptions, onConnect }) // undefined without TLS, as in kafkajs
      socket.once('connect', () => (isOpen = true))
      return socket
    },
  }
}

/** What kafkajs does without a factory, with TLS. */
export const tlsSockets: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const named = isIP(host) === 0 ? { servername: host } : {}
  const socket = connectTls({ host, port, ...named, ...ssl }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}
