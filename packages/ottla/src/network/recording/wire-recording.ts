/** Writes what goes over the wire to a file. */
import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs'
import {
  FrameMask,
  maskReady,
  recordingEventLine,
  recordingHeaderLine,
  type Payloads,
  type RecordingEvent,
} from '@ottla/protocol'
import { systemClock, type Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { invalidArgument } from '../../errors.ts'
import { libraryVersion } from '../../version.ts'
import type { ConnectionRecorder, WireRecorder } from './recorder.ts'

/**
 * Options of {@link wireRecording}.
 * @since 0.1.0
 */
export interface WireRecordingOptions {
  /**
   * `'mask'`, the default: as many bytes of filler as there were take the place of keys, values and the values of
   * headers. `'keep'`: they are written. Credentials are masked either way.
   */
  readonly payloads?: Payloads
  /** The recording's time; the system's by default. */
  readonly clock?: Clock
}

/**
 * Opens a file for a recording, which any number of clients may share: `new Producer(config, { record })`. A file that
 * is there is replaced; only its owner may read it. `ottla replay FILE` shows and replays it.
 *
 * Everything is written at once and stays if the process crashes, except in the first moments, while the codecs of
 * compressed batches are loaded. That takes time on every request, so record only while you look for something. If
 * writing fails, the recording ends with a warning, and the clients go on.
 *
 * Throws KafkaError ERR__INVALID_ARG if the file cannot be written, or made unreadable for others.
 * @since 0.1.0
 */
export function wireRecording(file: string, options: WireRecordingOptions = {}): WireRecording {
  return new WireRecording(file, options)
}

/**
 * A recording that is being written.
 * @since 0.1.0
 */
export class WireRecording implements Disposable {
  /** Where it is written to. */
  readonly file: string
  readonly #payloads: Payloads
  readonly #clock: Clock
  readonly #startedAt: number
  #descriptor: number | null
  #connections = 0
  /** What waits until batches can be masked; null once they can be. */
  #held: RecordedEvent[] | null = null

  /** @internal use `wireRecording` */
  constructor(file: string, options: WireRecordingOptions) {
    const { payloads = 'mask', clock = systemClock } = options
    if ((payloads as string) !== 'mask' && (payloads as string) !== 'keep') {
      throw invalidArgument(`the option payloads of wireRecording must be 'mask' or 'keep', not '${payloads}'`)
    }
    this.file = file
    this.#payloads = payloads
    this.#clock = clock
    this.#startedAt = clock.now()
    try {
      this.#descriptor = openForOwner(file)
    } catch (error) {
      throw invalidArgument(`cannot record to ${file}: ${messageOf(error)}`)
    }
    const startedAt = new Date(clock.wallTime()).toISOString()
    this.#put(recordingHeaderLine({ startedAt, by: `ottla ${libraryVersion}`, payloads }))
    const loading = maskReady()
    if (loading === null) return
    this.#held = []
    const release = (): void => this.#release()
    process.once('exit', release)
    void loading.then(() => {
      process.off('exit', release)
      this.#release()
    })
  }

  /**
   * Records a client of your own, or a proxy.
   * @param name of the client, for whoever reads the recording
   */
  client(name: string): WireRecorder {
    return {
      resolved: (host, addresses, why) =>
        this.#happened({ event: 'lookup', client: name, host, addresses, ...(why === undefined ? {} : { why }) }),
      connecting: (broker, address) => this.#connecting(name, broker, address),
    }
  }

  /** Ends the recording; clients that still use it go on unrecorded. Later calls do nothing. */
  close(): void {
    this.#release()
    if (this.#descriptor === null) return
    closeSync(this.#descriptor)
    this.#descriptor = null
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #connecting(client: string, broker: string, address: string): ConnectionRecorder {
    const connection = ++this.#connections
    const mask = new FrameMask(this.#payloads)
    let isOpen = false
    this.#happened({ event: 'connect', connection, client, broker, address })
    const frame = (event: 'request' | 'response', bytes: Buffer): void => {
      const { length: sizeBytes } = bytes
      this.#happened(() => ({ event, connection, frame: mask[event](bytes), sizeBytes }))
    }
    return {
      opened: () => {
        isOpen = true
        this.#happened({ event: 'open', connection })
      },
      // The chunks belong to the producer, who uses them again.
      sent: chunks => frame('request', Buffer.concat(chunks).subarray(SIZE_BYTES)),
      received: bytes => frame('response', bytes),
      unreadable: (event, sizeBytes) => this.#happened({ event, connection, frame: null, sizeBytes }),
      closed: (by, why) =>
        this.#happened(isOpen ? { event: 'closed', connection, by, why } : { event: 'refused', connection, why }),
    }
  }

  #happened(what: Untimed | (() => Untimed)): void {
    if (this.#descriptor === null) return
    const event = { ms: this.#clock.now() - this.#startedAt, what }
    if (this.#held === null) this.#write(event)
    else this.#held.push(event)
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const event of held) this.#write(event)
  }

  #write({ ms, what }: RecordedEvent): void {
    const fields = typeof what === 'function' ? what() : what
    this.#put(recordingEventLine({ ...fields, ms })) // the fields of one kind, and the time
  }

  #put(line: string): void {
    const descriptor = this.#descriptor
    if (descriptor === null) return
    try {
      const bytes = Buffer.from(line)
      // A pipe, or a disk that is nearly full, may take a part only.
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
    } catch (error) {
      this.#descriptor = null
      closeSync(descriptor)
      process.emitWarning(`the recording to ${this.file} has ended, it cannot be written: ${messageOf(error)}`)
    }
  }
}

/** @returns the descriptor of an empty file that only its owner may read, whatever was there before */
function openForOwner(file: string): number {
  const descriptor = openSync(file, 'w', OWNER_ONLY)
  try {
    // The mode is that of the old file if there was one. Devices and pipes keep theirs.
    if (fstatSync(descriptor).isFile()) fchmodSync(descriptor, OWNER_ONLY)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
  return descriptor
}

const OWNER_ONLY = 0o600
const SIZE_BYTES = 4

type Untimed<E = RecordingEvent> = E extends RecordingEvent ? Omit<E, 'ms'> : never

interface RecordedEvent {
  readonly ms: number
  /** A function where frames have to be masked first. */
  readonly what: Untimed | (() => Untimed)
}
