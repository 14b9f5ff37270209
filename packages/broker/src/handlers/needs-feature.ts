import { ErrorCode } from '@ottla/protocol'
import type { Route } from './request.ts'

/** The routes, refused with UNSUPPORTED_VERSION while the feature is at level 0. */
export function needsFeature(feature: string, routes: readonly Route[]): Route[] {
  return routes.map(served => ({
    ...served,
    handle: (body, context, stores) =>
      stores.features.isOff(feature)
        ? served.refusal(body, ErrorCode.ERR_UNSUPPORTED_VERSION, context)
        : served.handle(body, context, stores),
  }))
}
