export * from './api.ts'
export * from './generated/index.ts'
export { ProtocolError } from './wire/protocol-error.ts'
export { INT64_MAX, Reader, ZERO_UUID } from './wire/reader.ts'
export { Writer, type RecordsInput } from './wire/writer.ts'
export {
  FrameSplitter,
  encodeRequest,
  encodeResponse,
  readRequestHeader,
  readResponseHeader,
  responseHeaderVersion,
  type RequestHeader,
} from './wire/frame.ts'
