export type * from './api.ts'
export * from './generated/index.ts'
export { FrameSizeError, ProtocolError } from './wire/protocol-error.ts'
export { INT64_MAX, Reader, ZERO_UUID } from './wire/reader.ts'
export { FrameReader } from './wire/frame-reader.ts'
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

export type { CodecName, CompressionCodec } from './compression/codec.ts'
export { codecById, codecByName, implementations } from './compression/codecs.ts'
export { BATCH_HEADER_BYTES, setBaseOffset, setLogAppendTime, setPartitionLeaderEpoch } from './record/batch-header.ts'
export { BatchReader } from './record/batch-reader.ts'
export { BatchWriter, type RecordBytes, type RecordHeaders, type SealOptions } from './record/batch-writer.ts'
export { encodeControlBatch, type ControlBatch } from './record/control-batch.ts'
export type { BatchHeader, TimestampType } from './record/batch-fields.ts'
export { RecordBatch } from './record/record-batch.ts'
export { RecordCursor, type RecordHeader } from './record/record-cursor.ts'
export { RecordView } from './record/record-view.ts'
export { crc32 } from './wire/crc32.ts'
export { crc32c, crc32cImplementation } from './wire/crc32c.ts'
export { Conversation, wireApi, isAnswered, type OpaqueFrame, type WireMessage } from './capture/conversation.ts'
export { ClusterNames, type NamedTopic } from './capture/names.ts'
export { messageWords } from './capture/words.ts'
export { FrameMask, maskReady, type Payloads } from './capture/mask.ts'
export {
  parseRecording,
  recordingEventLine,
  recordingHeaderLine,
  type ConnectEvent,
  type ConnectionEvent,
  type FrameEvent,
  type Happened,
  type LookupEvent,
  type Recording,
  type RecordingEvent,
  type RecordingHeader,
} from './capture/recording.ts'
export { withAddresses, type BrokerAddress } from './capture/addresses.ts'
export { decodeMetrics } from './otlp/decode.ts'
export { encodeMetrics } from './otlp/encode.ts'
export type { Metric, MetricAttributes, MetricPoint, MetricsData } from './otlp/metrics-data.ts'
