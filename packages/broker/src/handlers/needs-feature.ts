import { ErrorCode } from '@ottla/protocol'
import { withError } from '../control/faults.ts'
import type { Route } from './request.ts'

/** The routes, which are answered with UNSUPPORTED_VERSION while the cluster does without the feature. */
export function needs(feature: string, routes: readonly Route[]): Route[] {
  return routes.map(served => ({
    api: served.api,
    handle: async (body, context) => {
      if (!context.state.features.isOff(feature)) return served.handle(body, context)
      const answer = await served.handle(body, { ...context, isToFail: true, allows: () => false })
      return withError(answer, ErrorCode.ERR_UNSUPPORTED_VERSION)
    },
  }))
}
