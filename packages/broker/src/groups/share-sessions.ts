/** Share sessions: the partitions that share group members fetch from a broker (KIP-932). */
import { ErrorCode } from '@ottla/protocol'
import { GroupRefusal } from './refusal.ts'

export interface ShareSession {
  epoch: number
  /** In the order in which fetches serve them. */
  readonly partitions: Set<string>
}

export const FINAL_EPOCH = -1
const MAX_EPOCH = 2_147_483_647

/** The share sessions of one broker. */
export class ShareSessions {
  readonly #sessions = new Map<string, ShareSession>()

  /**
   * Starts or continues the session of a fetch.
   * @throws GroupRefusal INVALID_REQUEST, SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH
   */
  fetch(
    key: string,
    epoch: number,
    added: Iterable<string>,
    forgotten: Iterable<string>,
    acknowledges: boolean,
  ): ShareSession {
    if (epoch === 0) {
      if (acknowledges)
        throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, 'The first request of a session cannot acknowledge.')
      const session: ShareSession = { epoch: 1, partitions: new Set(added) }
      this.#sessions.set(key, session)
      return session
    }
    const session = this.#find(key)
    if (epoch === FINAL_EPOCH) return { epoch, partitions: new Set() }
    checkEpoch(session, epoch)
    for (const partition of added) session.partitions.add(partition)
    for (const partition of forgotten) session.partitions.delete(partition)
    session.epoch = next(session.epoch)
    return session
  }

  /** @throws GroupRefusal SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH */
  acknowledge(key: string, epoch: number): void {
    if (epoch === 0) throw wrongEpoch()
    const session = this.#find(key)
    if (epoch === FINAL_EPOCH) return
    checkEpoch(session, epoch)
    session.epoch = next(session.epoch)
  }

  /** The member's current session, if any. */
  get(key: string): ShareSession | undefined {
    return this.#sessions.get(key)
  }

  /** @returns whether there was one */
  end(key: string): boolean {
    return this.#sessions.delete(key)
  }

  clear(): void {
    this.#sessions.clear()
  }

  #find(key: string): ShareSession {
    const session = this.#sessions.get(key)
    if (session !== undefined) return session
    throw new GroupRefusal(ErrorCode.ERR_SHARE_SESSION_NOT_FOUND, 'The share session was not found.')
  }
}

function checkEpoch(session: ShareSession, epoch: number): void {
  if (session.epoch !== epoch) throw wrongEpoch()
}

function wrongEpoch(): GroupRefusal {
  return new GroupRefusal(ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH, 'The share session epoch is invalid.')
}

function next(epoch: number): number {
  return epoch >= MAX_EPOCH ? 1 : epoch + 1
}
