/** `ottla replay --as broker`: listens, and answers as the recording's brokers did. */
import { createServer, type Server } from 'node:net'
import type { BrokerAddress, Recording } from '@ottla/protocol'
import { hostPort } from '../terminal/host-port.ts'
import { DONE, note, stopped, type Terminal } from '../terminal/terminal.ts'
import { serve, type BrokerSide } from './broker-side.ts'
import { Script } from './script.ts'
import { transcribe } from './transcript.ts'

const HOST = '127.0.0.1'

export interface BrokerReplayOptions {
  /** Of the first broker; 0: free ports. */
  readonly port: number
  readonly speed: number
}

export async function replayAsBroker(
  recording: Recording,
  { port, speed }: BrokerReplayOptions,
  terminal: Terminal,
): Promise<number> {
  const transcript = transcribe(recording)
  const script = new Script(transcript)
  const listeners = new Listeners()
  const timers = new Set<NodeJS.Timeout>()
  const later = (ms: number, callback: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      callback()
    }, ms)
    timers.add(timer)
  }
  const side: BrokerSide = {
    script,
    names: transcript.names,
    addressOf: address => listeners.addressOf(address),
    speed,
    later,
    report: line => void terminal.stdout.write(`${line}\n`),
  }
  try {
    const brokers = new Set([...script.brokers, ...transcript.names.addresses])
    let next = port
    for (const broker of brokers) {
      await listeners.open(broker, port === 0 ? 0 : next++, side)
    }
    for (const [broker, at] of listeners.all) {
      terminal.stdout.write(`${side.names.broker(broker)} (${broker}) listens on ${hostPort(at.host, at.port)}\n`)
    }
    const [first] = script.brokers
    if (first !== undefined) {
      const at = listeners.addressOf(addressFrom(first))
      terminal.stdout.write(`bootstrap.servers=${hostPort(at.host, at.port)}\n`)
    }
    await stopped(terminal.stop)
    const { played, all } = script.progress
    note(terminal, `${played} of the ${all} recorded requests were made`)
    return DONE
  } finally {
    for (const timer of timers) clearTimeout(timer)
    await listeners.close()
  }
}

/** The listeners of all brokers. */
class Listeners {
  readonly all = new Map<string, BrokerAddress>()
  readonly #servers: Server[] = []
  readonly #sockets = new Set<{ destroy(): void }>()

  addressOf(address: BrokerAddress): BrokerAddress {
    return this.all.get(hostPort(address.host, address.port)) ?? address
  }

  async open(broker: string, port: number, side: BrokerSide): Promise<void> {
    const server = createServer(socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.setNoDelay(true)
      serve(socket, broker, side)
    })
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, HOST, resolve)
    })
    const at = server.address()
    if (typeof at === 'object' && at !== null) this.all.set(broker, { host: HOST, port: at.port })
  }

  async close(): Promise<void> {
    const closed = this.#servers.map(server => new Promise(resolve => server.close(resolve)))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }
}

/** `host:port`, as recordings have it. */
export function addressFrom(text: string): BrokerAddress {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
