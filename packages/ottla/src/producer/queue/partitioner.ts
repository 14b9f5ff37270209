/** Chooses the partition of a message (`partitioner`, `sticky.partitioning.linger.ms`). */
import { ErrorCode } from '@ottla/protocol'
import type { Random } from '../../base/random.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { KafkaError, invalidArgument } from '../../errors.ts'
import type { Bytes, Partitioner, ProducerMessage } from '../../types.ts'
import { crc32, fnv1a, murmur2 } from './hashes.ts'

/** What a partitioner may know of a topic; follows the metadata. */
export interface PartitionView {
  readonly topic: string
  readonly partitionCount: number
  /** Whether the partition has a leader. */
  isAvailable(partition: number): boolean
}

/** Chooses partitions for the messages of one topic. */
export interface Chooser {
  /**
   * @param key - the serialized key, null for none
   * @param now - monotonic ms
   * @returns a partition from 0 to partitionCount - 1
   * @throws KafkaError ERR__INVALID_ARG if the application's partitioner throws, ERR__UNKNOWN_PARTITION if it returns
   *   anything but a partition of the topic
   */
  choose(view: PartitionView, key: Bytes | null, message: ProducerMessage<unknown, unknown>, now: number): number
}

/** What a partitioner does with a message without a key. */
type Keyless = 'hash' | 'anywhere'

interface Row {
  readonly hash: ((bytes: Uint8Array, length: number) => number) | null
  readonly keyless: Keyless
  /** An empty key counts as none. */
  readonly emptyIsNone: boolean
}

const java = (bytes: Uint8Array, length: number): number => murmur2(bytes, length) & 0x7fffffff

// librdkafka's table: `consistent` hashes a missing key like an empty one; only `consistent_random` treats an empty key
// as missing.
const rows: Readonly<Record<string, Row>> = {
  consistent: { hash: crc32, keyless: 'hash', emptyIsNone: false },
  consistent_random: { hash: crc32, keyless: 'anywhere', emptyIsNone: true },
  murmur2: { hash: java, keyless: 'hash', emptyIsNone: false },
  murmur2_random: { hash: java, keyless: 'anywhere', emptyIsNone: false },
  fnv1a: { hash: fnv1a, keyless: 'hash', emptyIsNone: false },
  fnv1a_random: { hash: fnv1a, keyless: 'anywhere', emptyIsNone: false },
  random: { hash: null, keyless: 'anywhere', emptyIsNone: false },
}

/**
 * A chooser for one topic.
 * @param partitioner - a name of the table, or the application's function
 * @param stickyMs - how long messages without a key go to the same partition; 0 chooses for each
 */
export function chooserFor(partitioner: string | Partitioner, stickyMs: number, random: Random): Chooser {
  if (typeof partitioner === 'function') return new OwnChooser(partitioner)
  const row = rows[partitioner]
  if (row === undefined) {
    const names = Object.keys(rows).join(', ')
    throw invalidArgument(`partitioner=${partitioner} is not valid: it takes ${names}`)
  }
  return new TableChooser(row, stickyMs, random)
}

class TableChooser implements Chooser {
  readonly #row: Row
  readonly #stickyMs: number
  readonly #random: Random
  #sticky = -1
  #stickyUntil = -Infinity

  constructor(row: Row, stickyMs: number, random: Random) {
    this.#row = row
    this.#stickyMs = stickyMs
    this.#random = random
  }

  choose(view: PartitionView, key: Bytes | null, _message: unknown, now: number): number {
    const { hash, keyless, emptyIsNone } = this.#row
    const hasKey = key !== null && !(emptyIsNone && key.length === 0)
    if (!hasKey && keyless === 'anywhere') {
      return this.#stickyMs > 0 ? this.#stay(view, now) : anywhere(view, this.#random)
    }
    if (hash === null) return anywhere(view, this.#random)
    if (key === null) return hash(scratch, 0) % view.partitionCount
    if (typeof key !== 'string') return hash(key, key.length) % view.partitionCount
    const length = writeKey(key)
    return length < 0 ? hashLong(hash, key) % view.partitionCount : hash(scratch, length) % view.partitionCount
  }

  #stay(view: PartitionView, now: number): number {
    const lost = this.#sticky < 0 || this.#sticky >= view.partitionCount || !view.isAvailable(this.#sticky)
    if (lost || now >= this.#stickyUntil) {
      this.#sticky = anywhere(view, this.#random)
      this.#stickyUntil = now + this.#stickyMs
    }
    return this.#sticky
  }
}

class OwnChooser implements Chooser {
  readonly #partitioner: Partitioner

  constructor(partitioner: Partitioner) {
    this.#partitioner = partitioner
  }

  choose(view: PartitionView, key: Bytes | null, message: ProducerMessage<unknown, unknown>): number {
    const count = view.partitionCount
    let chosen: unknown
    try {
      chosen = this.#partitioner(view.topic, keyBuffer(key), count, message)
    } catch (error) {
      const why = messageOf(error)
      const text = `the partitioner threw for topic ${view.topic}: ${why}`
      throw invalidArgument(text, error)
    }
    if (typeof chosen === 'number' && Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen
    const text = `the partitioner returned ${String(chosen)} for topic ${view.topic}, which has ${count} partitions`
    throw new KafkaError(ErrorCode.ERR__UNKNOWN_PARTITION, text)
  }
}

// Two draws, like librdkafka; the second counts in any case, so that a topic without any leader still gets messages.
function anywhere(view: PartitionView, random: Random): number {
  const count = view.partitionCount
  const first = Math.floor(random() * count)
  return view.isAvailable(first) ? first : Math.floor(random() * count)
}

const SCRATCH_BYTES = 4096
const SHORT_KEY = 48
const scratch = Buffer.alloc(SCRATCH_BYTES)

/** Writes a key into the scratch buffer; returns its length in bytes, or -1 if it may not fit. */
function writeKey(key: string): number {
  const length = key.length
  if (length * 3 > SCRATCH_BYTES) return -1
  if (length > SHORT_KEY) return scratch.write(key, 0, 'utf8')
  // For short keys a loop is faster than the native call.
  for (let i = 0; i < length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return scratch.write(key, 0, 'utf8')
    scratch[i] = code
  }
  return length
}

function hashLong(hash: (bytes: Uint8Array, length: number) => number, key: string): number {
  const bytes = Buffer.from(key, 'utf8')
  return hash(bytes, bytes.length)
}

function keyBuffer(key: Bytes | null): Buffer | null {
  if (key === null) return null
  if (typeof key === 'string') return Buffer.from(key, 'utf8')
  return Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength)
}
