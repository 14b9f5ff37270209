import { ErrorCode } from '@ottla/protocol'
import { withError } from '../control/faults.ts'
import type { Route } from './request.ts'

/** The routes, which are answered with UNSUPPORTED_VERSION while the cluster does without the feature. */
export function needs(feature: string, routes: readonly Route[]): Route[] {
  return routes.map(served => ({
    api: served.api,
    handle: async (body, context, stores) => {
      if (!stores.features.isOff(feature)) return served.handle(body, context, stores)
      const answer = await served.handle(body, { ...context, isToFail: true, allows: () => false }, stores)
      return withError(answer, ErrorCode.ERR_UNSUPPORTED_VERSION)
    },
  }))
}
