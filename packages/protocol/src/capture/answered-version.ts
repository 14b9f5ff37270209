import { Reader } from '../wire/reader.ts'

const API_VERSIONS = 18
const ERR_UNSUPPORTED_VERSION = 35

/** The version of a response: a broker that does not know that of an ApiVersions request answers in version 0 (KIP-511). */
export function answeredVersion(api: { readonly key: number }, requested: number, frame: Uint8Array): number {
  if (api.key !== API_VERSIONS) return requested
  return new Reader(frame, 4).int16() === ERR_UNSUPPORTED_VERSION ? 0 : requested
}
