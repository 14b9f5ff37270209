import { constants } from 'node:buffer'
import { ProtocolError } from '../wire/protocol-error.ts'

/** Decompresses with a function of node:zlib, and turns its errors into ProtocolErrors. */
export function inflateLimited(
  name: string,
  inflate: (data: Uint8Array, options: { maxOutputLength: number }) => Buffer,
  data: Uint8Array,
  maxBytes: number,
): Buffer {
  try {
    // zlib requires a limit from 1 to the largest size of a Buffer.
    const plain = inflate(data, { maxOutputLength: Math.min(Math.max(maxBytes, 1), constants.MAX_LENGTH) })
    if (plain.length <= maxBytes) return plain
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
      // zlib throws only Errors
      throw new ProtocolError(`${name} data is corrupt: ${(error as Error).message}`, { cause: error })
    }
  }
  throw new ProtocolError(`${name} data decompresses to more than ${maxBytes} bytes`)
}
