import { Deadline } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { Holdings } from '../holdings.ts'
import type { Mailbox } from '../mailbox.ts'
import type { Poller } from '../poller.ts'
import type { RunnerHost } from './runner.ts'

/** Parts of a consumer, for a runner. */
export function runnerHost<K, V>(
  context: ClientContext,
  poller: Poller<K, V>,
  mailbox: Mailbox,
  holdings: Holdings,
): RunnerHost<K, V> {
  const { clock, random, settings, logger } = context
  return {
    clock,
    random,
    poller,
    wake: () => mailbox.wake(),
    beforeRelease: hook => (holdings.beforeRelease = hook),
    commit: cursors => holdings.commitStored(Deadline.after(clock, settings['socket.timeout.ms']), cursors),
    commitsItself: settings['enable.auto.commit'],
    commitIntervalMs: settings['auto.commit.interval.ms'],
    longestDrainMs: settings['max.poll.interval.ms'],
    mostBytes: settings['queued.max.messages.kbytes'] * 1024,
    hold: cursor => holdings.hold(cursor),
    goOn: cursor => holdings.goOn(cursor),
    goBack: (cursor, offset, era) => holdings.goBack(cursor, offset, era),
    warn: error => logger.warning('RUN', `${error.name}: ${error.message}`),
  }
}
