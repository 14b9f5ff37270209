/** The protocol's numbers for the words of access control (KIP-290, KIP-430). */
import { requireWord } from './arguments.ts'

/**
 * An operation on a resource.
 * @since 0.1.0
 */
export type AclOperation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'cluster-action'
  | 'describe-configs'
  | 'alter-configs'
  | 'idempotent-write'
  | 'create-tokens'
  | 'describe-tokens'
  | 'two-phase-commit'
/**
 * The type of a rule's resource.
 * @since 0.1.0
 */
export type AclResourceType = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'delegation-token' | 'user'
/**
 * Whether a rule applies to one name, or to all names with that prefix (KIP-290).
 * @since 0.1.0
 */
export type AclPatternType = 'literal' | 'prefixed'
/**
 * Whether a rule allows or denies; deny takes precedence over any allow.
 * @since 0.1.0
 */
export type AclPermission = 'allow' | 'deny'

const operations: readonly (readonly [AclOperation, number])[] = [
  ['all', 2],
  ['read', 3],
  ['write', 4],
  ['create', 5],
  ['delete', 6],
  ['alter', 7],
  ['describe', 8],
  ['cluster-action', 9],
  ['describe-configs', 10],
  ['alter-configs', 11],
  ['idempotent-write', 12],
  ['create-tokens', 13],
  ['describe-tokens', 14],
  ['two-phase-commit', 15],
]
const resourceTypes: readonly (readonly [AclResourceType, number])[] = [
  ['topic', 2],
  ['group', 3],
  ['cluster', 4],
  ['transactional-id', 5],
  ['delegation-token', 6],
  ['user', 7],
]
const patternTypes: readonly (readonly [AclPatternType, number])[] = [
  ['literal', 3],
  ['prefixed', 4],
]
const permissions: readonly (readonly [AclPermission, number])[] = [
  ['deny', 2],
  ['allow', 3],
]

/** The words of one field and their numbers. */
export class WireWords<W extends string> {
  readonly #what: string
  readonly #numbers: ReadonlyMap<string, number>
  readonly #filterNumbers: ReadonlyMap<string, number>
  readonly #words: ReadonlyMap<number, W>

  /** @param filterWords words that only a filter may use */
  constructor(
    what: string,
    pairs: readonly (readonly [W, number])[],
    filterWords: readonly (readonly [string, number])[],
  ) {
    this.#what = what
    this.#numbers = new Map(pairs)
    this.#filterNumbers = new Map([...pairs, ...filterWords])
    this.#words = new Map(pairs.map(([word, number]) => [number, word]))
  }

  /** @throws KafkaError ERR__INVALID_ARG for a word that is not in the table */
  number(word: W): number {
    return requireWord(word, this.#numbers, this.#what)
  }

  /** Like `number`, for filters; an omitted word matches anything. */
  filterNumber(word: string | undefined): number {
    return requireWord(word ?? 'any', this.#filterNumbers, this.#what)
  }

  /** Undefined for a number of a later Kafka. */
  word(number: number): W | undefined {
    return this.#words.get(number)
  }
}

const ANY = [['any', 1]] as const

export const operationWords = new WireWords('operation', operations, ANY)
export const resourceTypeWords = new WireWords('resourceType', resourceTypes, ANY)
export const patternTypeWords = new WireWords('resourcePatternType', patternTypes, [...ANY, ['match', 2]])
export const permissionWords = new WireWords('permissionType', permissions, ANY)

// A broker's value if authorized operations were not requested.
const NOT_REQUESTED = -(2 ** 31)

/** The operations of a bit field, or undefined if the broker did not send one (KIP-430). */
export function aclOperations(bits: number): AclOperation[] | undefined {
  if (bits === NOT_REQUESTED) return undefined
  return operations.filter(([, number]) => (bits & (1 << number)) !== 0).map(([word]) => word)
}
