/** `ottla replay --as broker`: listens, and answers as the recording's brokers did. */
import type { BrokerAddress, Recording } from '@ottla/protocol'
import { Listeners } from '../listen/listeners.ts'
import { hostPort } from '../terminal/host-port.ts'
import { printable } from '../terminal/printable.ts'
import { DONE, note, stopped, UsageError, type Terminal } from '../terminal/terminal.ts'
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
  if (script.brokers.length === 0) throw new UsageError('--as broker: the recording has no connection to a broker')
  const addresses = new Map<string, BrokerAddress>()
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
    addressOf: address => addresses.get(hostPort(address.host, address.port)) ?? address,
    speed,
    later,
    report: line => void terminal.stdout.write(`${printable(line)}\n`),
  }
  const listeners = new Listeners(HOST, port, (socket, broker) => serve(socket, broker, side))
  try {
    for (const broker of new Set([...script.brokers, ...transcript.names.addresses])) {
      const at = await listeners.open(broker)
      addresses.set(broker, at)
      terminal.stdout.write(
        printable(`${side.names.broker(broker)} (${broker}) listens on ${hostPort(at.host, at.port)}`) + '\n',
      )
    }
    const bootstrap = addresses.get(script.brokers[0] ?? '')
    if (bootstrap !== undefined)
      terminal.stdout.write(`bootstrap.servers=${hostPort(bootstrap.host, bootstrap.port)}\n`)
    await stopped(terminal.stop)
    const { played, all } = script.progress
    note(terminal, `${played} of the ${all} recorded requests were made`)
    return DONE
  } finally {
    for (const timer of timers) clearTimeout(timer)
    await listeners.close()
  }
}
