/** ApiVersions. */
import { ApiVersionsServer, ErrorCode, ProduceServer, type ApiVersionsResponse } from '@ottla/protocol'
import type { Features } from '../releases/features.ts'
import type { VersionRange } from '../releases/versions.ts'
import { route, type Route } from './request.ts'

// The first version with features.
const FEATURES_VERSION = 3
// The first version in which clients name their software (KIP-511).
const SOFTWARE_VERSION = 3

export const versionRoutes: readonly Route[] = [
  route(
    ApiVersionsServer,
    ({ clientSoftwareName, clientSoftwareVersion }, { version, session }, stores) => {
      const isNamed = version < SOFTWARE_VERSION || [clientSoftwareName, clientSoftwareVersion].every(isSoftware)
      if (!isNamed) return failed(ErrorCode.ERR_INVALID_REQUEST)
      session.softwareName = clientSoftwareName
      session.softwareVersion = clientSoftwareVersion
      return {
        errorCode: ErrorCode.ERR_NO_ERROR,
        apiKeys: [...stores.versions].map(told),
        throttleTimeMs: 0,
        ...(version >= FEATURES_VERSION ? features(stores.features, version) : {}),
      }
    },
    (_body, errorCode) => {
      const { key: apiKey, minVersion, maxVersion } = ApiVersionsServer
      const isVersion = errorCode === ErrorCode.ERR_UNSUPPORTED_VERSION
      return { ...failed(errorCode), apiKeys: isVersion ? [{ apiKey, minVersion, maxVersion }] : [] }
    },
  ),
]

/** As Kafka, of Produce also versions that are long gone: older librdkafkas compress nothing without them (KAFKA-18659). */
function told([apiKey, { min, max }]: [number, VersionRange]): ApiVersionsResponse['apiKeys'][number] {
  const isProduce = apiKey === ProduceServer.key && min === ProduceServer.minVersion
  return { apiKey, minVersion: isProduce ? 0 : min, maxVersion: max }
}

function failed(errorCode: number): ApiVersionsResponse {
  return { errorCode, apiKeys: [], throttleTimeMs: 0 }
}

function isSoftware(word: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(word)
}

function features(
  known: Features,
  version: number,
): Pick<ApiVersionsResponse, 'supportedFeatures' | 'finalizedFeatures' | 'finalizedFeaturesEpoch'> {
  const all = known.all()
  return {
    // Older clients do not accept a lowest version of 0.
    supportedFeatures: all
      .filter(({ minVersion }) => minVersion > 0 || version > FEATURES_VERSION)
      .map(({ name, minVersion, maxVersion }) => ({ name, minVersion, maxVersion })),
    finalizedFeatures: all
      .filter(({ level }) => level > 0)
      .map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
    finalizedFeaturesEpoch: known.epoch,
  }
}
