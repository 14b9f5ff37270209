import { ErrorCode, KafkaError } from 'ottla'

// What the user can do about an error.
const hints = new Map<number, string>([
  [ErrorCode.ERR__ALL_BROKERS_DOWN, 'check the address given with -b, and that a broker listens there'],
  [ErrorCode.ERR__TRANSPORT, 'check the address given with -b, and security.protocol'],
  [ErrorCode.ERR__RESOLVE, 'check the host name given with -b'],
  [ErrorCode.ERR__TIMED_OUT, 'check the address given with -b; -d broker logs the connection attempts'],
  [ErrorCode.ERR__SSL, 'check ssl.ca.location, and that the listener speaks TLS'],
  [ErrorCode.ERR__AUTHENTICATION, 'check sasl.mechanisms, sasl.username and sasl.password'],
  [ErrorCode.ERR_SASL_AUTHENTICATION_FAILED, 'check sasl.username and sasl.password'],
  [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'the user needs an ACL for this topic'],
  [ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, 'the user needs an ACL for this group'],
  [ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, 'the user needs an ACL for the cluster'],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'ottla meta lists all topics'],
  [ErrorCode.ERR__UNKNOWN_TOPIC, 'ottla meta lists all topics'],
  [ErrorCode.ERR__UNKNOWN_PARTITION, 'ottla meta -t TOPIC lists its partitions'],
  [ErrorCode.ERR_MSG_SIZE_TOO_LARGE, 'raise message.max.bytes with -X, and max.message.bytes on the topic'],
])

/** An error as one line: what happened, its code, and a hint if there is one. */
export function explain(error: unknown): string {
  if (!(error instanceof KafkaError)) return oneLine(messageOf(error))
  const hint = hints.get(error.code)
  return oneLine(`${error.message} (${error.name})${hint === undefined ? '' : `; ${hint}`}`)
}

/** The message of a thrown value of any type. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
