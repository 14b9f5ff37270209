import { ErrorCode } from '@ottla/protocol'
import type { Route } from './request.ts'

/** The routes, which are answered with UNSUPPORTED_VERSION while the cluster does without the feature. */
export function needs(feature: string, routes: readonly Route[]): Route[] {
  return routes.map(served => ({
    ...served,
    handle: (body, context, stores) =>
      stores.features.isOff(feature)
        ? served.refusal(body, ErrorCode.ERR_UNSUPPORTED_VERSION, context)
        : served.handle(body, context, stores),
  }))
}
