/** What may go wrong when rights are missing, or passwords change. */
import type { Mutant } from './mutant.ts'

const area = 'access'

export const accessMutants: readonly Mutant[] = [
  {
    id: 'lasting-error-repeated',
    area,
    breaks: 'a lasting error is reported each time that it recurs',
    file: 'observe/error-throttle.ts',
    find: 'if (now - last.at < last.repeatMs) {',
    replace: 'if (now < last.at) {',
    workloads: ['access'],
  },
  {
    id: 'refused-fetch-unsaid',
    area,
    breaks: 'a consumer does not say that it may not read',
    file: 'consumer/fetch/fetcher.ts',
    find: 'if (this.#errorThrottle.shouldReport(topic, error)) this.#host.raise(error, topic)',
    replace: 'this.#errorThrottle.shouldReport(topic, error)',
    workloads: ['access'],
  },
  {
    id: 'refused-heartbeat-unsaid',
    area,
    breaks: 'a member does not say that it may not be in its group',
    file: 'consumer/group/membership-errors.ts',
    find: "  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_CLUSTER",
    replace:
      "  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'retry',\n  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_CLUSTER",
    workloads: ['access'],
    survives: 'its commits are refused, too, and that is reported',
  },
  {
    id: 'refused-group-is-fatal',
    area,
    breaks: 'a member that may not be in its group for a while has ended',
    file: 'consumer/group/membership-errors.ts',
    find: "  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_CLUSTER",
    replace:
      "  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'fatal',\n  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',\n  [E.ERR_CLUSTER",
    workloads: ['access'],
  },
  {
    id: 'refused-partition-stops',
    area,
    breaks: 'a partition that may not be read for a while is not read again',
    file: 'consumer/fetch/fetcher.ts',
    find: '        this.#backOff(cursor)\n        // Reported once',
    replace: '        cursor.stop()\n        // Reported once',
    workloads: ['access'],
  },
  {
    id: 'refused-topic-stays',
    area,
    breaks: 'a topic that may not be written to for a while is not written to again',
    file: 'producer/queue/topic-queue.ts',
    find: "    if (this.#state !== 'exists') this.#enter('exists')\n",
    replace: "    if (this.#state === 'unknown') this.#enter('exists')\n",
    workloads: ['access'],
  },
  {
    id: 'refused-batch-retried',
    area,
    breaks: 'a batch that may not be written is retried until its time is over',
    file: 'producer/send/verdicts.ts',
    find: '  [ErrorCode.ERR_LEADER_NOT_AVAILABLE, moved],\n',
    replace: '  [ErrorCode.ERR_LEADER_NOT_AVAILABLE, moved],\n  [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, busy],\n',
    workloads: ['access'],
  },
  {
    id: 'old-password-kept',
    area,
    breaks: 'a new password is not used',
    file: 'cluster/broker-set.ts',
    find: '    this.#credentials.current = credentials\n    this.#retryNow()\n',
    replace: '    this.#retryNow()\n',
    workloads: ['access'],
  },
  {
    id: 'wrong-password-unsaid',
    area,
    breaks: 'a client does not say that it cannot log in',
    file: 'cluster/broker-set.ts',
    find: '        emitError(this.#context, told)\n',
    replace: '',
    workloads: ['access'],
  },
]
