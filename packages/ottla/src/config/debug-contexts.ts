/** The words of librdkafka's `debug` property, except `all`. */
export const debugContexts = [
  'generic',
  'broker',
  'topic',
  'metadata',
  'feature',
  'queue',
  'msg',
  'protocol',
  'cgrp',
  'security',
  'fetch',
  'interceptor',
  'plugin',
  'consumer',
  'admin',
  'eos',
  'mock',
  'assignor',
  'conf',
  'telemetry',
] as const

export type DebugContext = (typeof debugContexts)[number]
