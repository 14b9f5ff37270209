/** Transactional producers on the wire: whoever is told that a newer instance has taken over asks for no new epoch. */
import { AddOffsetsToTxn, EndTxn, ErrorCode, InitProducerId, type WireMessage } from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

export class FencingJudge implements WireJudge {
  readonly apis = [InitProducerId.key, AddOffsetsToTxn.key, EndTxn.key]
  readonly #world: Watched
  /** Hosts, and what has told them. */
  readonly #fenced = new Map<string, string>()

  constructor(world: Watched) {
    this.#world = world
  }

  onRequest({ host, request }: Exchange): void {
    const by = this.#fenced.get(host)
    if (by === undefined || request.api.key !== InitProducerId.key) return
    this.#world.complain(`${host} asks for an epoch, and was told that it is fenced in answer to ${by}`)
  }

  onResponse({ host }: Exchange, { api, body }: WireMessage): void {
    const { errorCode } = body as { readonly errorCode: number }
    const isFenced = errorCode === ErrorCode.ERR_PRODUCER_FENCED || errorCode === ErrorCode.ERR_INVALID_PRODUCER_EPOCH
    if (isFenced) this.#fenced.set(host, api.name)
  }
}
