/** The messages that classic consumers exchange through the coordinator, which reads them only where it has to. */
import {
  ProtocolError,
  Reader,
  Writer,
  readConsumerProtocolAssignment,
  readConsumerProtocolSubscription,
  writeConsumerProtocolAssignment,
  type ConsumerProtocolAssignment,
  type ConsumerProtocolSubscription,
  type Decoded,
} from '@ottla/protocol'

const MAX_VERSION = 3

/** null if a consumer did not write it. */
export function readSubscription(metadata: Buffer): Decoded<ConsumerProtocolSubscription> | null {
  return read(metadata, readConsumerProtocolSubscription)
}

/** null if a consumer did not write it. */
export function readAssignment(assignment: Buffer): Decoded<ConsumerProtocolAssignment> | null {
  return read(assignment, readConsumerProtocolAssignment)
}

/** @param like the member's metadata, which determines the version */
export function writeAssignment(assignment: ConsumerProtocolAssignment, like: Buffer): Buffer {
  const version = like.length >= 2 ? Math.min(like.readInt16BE(0), MAX_VERSION) : 0
  const writer = new Writer()
  writer.int16(version)
  writeConsumerProtocolAssignment(writer, assignment, version)
  return Buffer.concat(writer.finish())
}

function read<T>(bytes: Buffer, body: (reader: Reader, version: number) => T): T | null {
  try {
    const reader = new Reader(Buffer.from(bytes))
    const version = reader.int16()
    return version < 0 ? null : body(reader, Math.min(version, MAX_VERSION))
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
