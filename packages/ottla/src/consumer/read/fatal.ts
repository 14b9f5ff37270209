/** What is said and thrown after an error from which a consumer does not recover. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'

export function forGood({ message, name }: KafkaError): string {
  return `The consumer has failed for good: ${message} (${name}).`
}

/** Throws KafkaError ERR__FATAL if there has been such an error. */
export function requireRecoverable(fatal: KafkaError | null): void {
  if (fatal === null) return
  throw new KafkaError(ErrorCode.ERR__FATAL, `${forGood(fatal)} Close it and make another one.`, {
    fatal: true,
    cause: fatal,
  })
}
