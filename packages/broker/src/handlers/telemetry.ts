/** GetTelemetrySubscriptions and PushTelemetry (KIP-714). */
import {
  ErrorCode,
  GetTelemetrySubscriptionsServer,
  PushTelemetryServer,
  ZERO_UUID,
  type GetTelemetrySubscriptionsResponse,
} from '@ottla/protocol'
import type { ClientTraits } from '../telemetry/client-metrics.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { errorCodeOnly } from './refusals.ts'
import { TELEMETRY_MAX_BYTES, telemetryCompression } from '../telemetry/telemetry.ts'

/** Only served with `onTelemetry`. */
export const telemetryRoutes: readonly Route[] = [
  route(
    GetTelemetrySubscriptionsServer,
    ({ clientInstanceId }, context, { telemetry }): GetTelemetrySubscriptionsResponse => {
      if (telemetry === null) return failed(ErrorCode.ERR_UNKNOWN)
      const found = telemetry.subscribe(context.brokerId, clientInstanceId, traitsOf(context))
      if (typeof found === 'number') return failed(found)
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.ERR_NO_ERROR,
        clientInstanceId: found.clientInstanceId,
        subscriptionId: found.subscriptionId,
        acceptedCompressionTypes: telemetryCompression,
        pushIntervalMs: found.intervalMs,
        telemetryMaxBytes: TELEMETRY_MAX_BYTES,
        deltaTemporality: true,
        requestedMetrics: found.metrics,
      }
    },
    (_body, errorCode) => failed(errorCode),
  ),
  route(
    PushTelemetryServer,
    (request, context, { telemetry }) => {
      const errorCode = telemetry?.push(context.brokerId, request, traitsOf(context)) ?? ErrorCode.ERR_UNKNOWN
      return { throttleTimeMs: 0, errorCode }
    },
    errorCodeOnly,
  ),
]

function traitsOf({ clientId, session }: RequestContext): ClientTraits {
  const { softwareName = '', softwareVersion = '', host, port } = session
  return {
    client_instance_id: '',
    client_id: clientId,
    client_software_name: softwareName,
    client_software_version: softwareVersion,
    client_source_address: host,
    client_source_port: String(port),
  }
}

function failed(errorCode: number): GetTelemetrySubscriptionsResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    clientInstanceId: ZERO_UUID,
    subscriptionId: 0,
    acceptedCompressionTypes: [],
    pushIntervalMs: 0,
    telemetryMaxBytes: 0,
    deltaTemporality: false,
    requestedMetrics: [],
  }
}
