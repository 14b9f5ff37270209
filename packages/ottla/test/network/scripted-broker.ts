import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import {
  ApiVersionsServer,
  FrameSplitter,
  Reader,
  apis,
  encodeResponse,
  readRequestHeader,
  type RequestHeader,
} from '@ottla/protocol'

export interface Asked {
  readonly header: RequestHeader
  readonly reader: Reader
  /** Writes bytes as they are. */
  readonly socket: Socket
}

type Script = (asked: Asked) => void

/** A TCP server that answers ApiVersions and leaves every other request to a script. */
export class ScriptedBroker {
  readonly #server: Server
  readonly sockets = new Set<Socket>()
  readonly #held: (() => void)[] = []
  connections = 0
  /** Whether it accepts connections and requests without an answer; `speak` ends it. */
  isSilent = false
  /** Called for each request that comes while it is silent. */
  onHeld: (socket: Socket) => void = () => undefined

  private constructor(script: Script) {
    // Otherwise the second of two responses would wait for the client's delayed acknowledgement: 40 ms.
    this.#server = createServer({ noDelay: true }, socket => {
      this.connections++
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
      socket.on('error', () => undefined)
      const splitter = new FrameSplitter(1e6)
      socket.on('data', chunk =>
        splitter.push(chunk, frame => {
          if (this.isSilent) {
            this.#held.push(() => this.#serve(Buffer.from(frame), socket, script))
            this.onHeld(socket)
          } else {
            this.#serve(frame, socket, script)
          }
        }),
      )
    })
  }

  static async start(script: Script = () => undefined): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script)
    await new Promise<void>(resolve => broker.#server.listen(0, '127.0.0.1', resolve))
    return broker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Answers the requests received in the meantime. */
  speak(): void {
    this.isSilent = false
    for (const serve of this.#held.splice(0)) serve()
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #serve(frame: Buffer, socket: Socket, script: Script): void {
    const reader = new Reader(frame)
    const header = readRequestHeader(reader, key => apis.find(api => api.key === key)?.flexibleFrom ?? 0x7fff)
    if (header.apiKey !== ApiVersionsServer.key) {
      script({ header, reader, socket })
      return
    }
    const apiKeys = apis.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }))
    const body = { errorCode: 0, apiKeys, throttleTimeMs: 0 }
    for (const part of encodeResponse(ApiVersionsServer, header.apiVersion, header.correlationId, body))
      socket.write(part)
  }
}
