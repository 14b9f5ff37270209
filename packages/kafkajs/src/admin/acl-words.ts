/** The numbers of access rules in kafkajs, and the words for them in `ottla`. */
import type { AclOperation, AclPatternType, AclPermission, AclResourceType } from 'ottla'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from '../enums.ts'
import { invalid, shown } from './arguments.ts'

/** The words of one field. */
class Words<N extends number, W extends string, F extends string> {
  readonly #what: string
  readonly #filterWhat: string
  readonly #words: ReadonlyMap<N, W>
  readonly #filterWords: ReadonlyMap<N, W | F>
  readonly #numbers: ReadonlyMap<W, N>

  /** @param filterWords that only a filter may use */
  constructor(
    [what, filterWhat = what]: readonly [string, string?],
    words: readonly (readonly [N, W])[],
    filterWords: readonly (readonly [N, F])[],
  ) {
    this.#what = what
    this.#filterWhat = filterWhat
    this.#words = new Map(words)
    this.#filterWords = new Map<N, W | F>([...words, ...filterWords])
    this.#numbers = new Map(words.map(([number, word]) => [word, number]))
  }

  /** @param rule for the error @throws KafkaJSNonRetriableError for a number that is not in the table */
  word(number: N, rule: object): W {
    return this.#words.get(number) ?? refuse(`${this.#what} ${shown(number)}: ${shown(rule)}`)
  }

  /** As word, for a filter. @param filter null if there is only one */
  filterWord(number: N, filter: object | null): W | F {
    const found = this.#filterWords.get(number)
    if (found !== undefined) return found
    return refuse(
      filter === null ? `${this.#filterWhat} ${shown(number)}` : `${this.#what} ${shown(number)}: ${shown(filter)}`,
    )
  }

  number(word: W): N {
    return this.#numbers.get(word) ?? (UNKNOWN as N) // every enum has it, for the words that came after kafkajs
  }
}

function refuse(what: string): never {
  throw invalid(`Invalid ${what}`)
}

const UNKNOWN = 0

export const operations = new Words<AclOperationTypes, AclOperation, 'any'>(
  ['operation type'],
  [
    [AclOperationTypes.ALL, 'all'],
    [AclOperationTypes.READ, 'read'],
    [AclOperationTypes.WRITE, 'write'],
    [AclOperationTypes.CREATE, 'create'],
    [AclOperationTypes.DELETE, 'delete'],
    [AclOperationTypes.ALTER, 'alter'],
    [AclOperationTypes.DESCRIBE, 'describe'],
    [AclOperationTypes.CLUSTER_ACTION, 'cluster-action'],
    [AclOperationTypes.DESCRIBE_CONFIGS, 'describe-configs'],
    [AclOperationTypes.ALTER_CONFIGS, 'alter-configs'],
    [AclOperationTypes.IDEMPOTENT_WRITE, 'idempotent-write'],
  ],
  [[AclOperationTypes.ANY, 'any']],
)
export const resourceTypes = new Words<AclResourceTypes, AclResourceType, 'any'>(
  ['resource type'],
  [
    [AclResourceTypes.TOPIC, 'topic'],
    [AclResourceTypes.GROUP, 'group'],
    [AclResourceTypes.CLUSTER, 'cluster'],
    [AclResourceTypes.TRANSACTIONAL_ID, 'transactional-id'],
    [AclResourceTypes.DELEGATION_TOKEN, 'delegation-token'],
  ],
  [[AclResourceTypes.ANY, 'any']],
)
export const patternTypes = new Words<ResourcePatternTypes, AclPatternType, 'any' | 'match'>(
  ['resource pattern type', 'resource pattern filter type'],
  [
    [ResourcePatternTypes.LITERAL, 'literal'],
    [ResourcePatternTypes.PREFIXED, 'prefixed'],
  ],
  [
    [ResourcePatternTypes.ANY, 'any'],
    [ResourcePatternTypes.MATCH, 'match'],
  ],
)
export const permissionTypes = new Words<AclPermissionTypes, AclPermission, 'any'>(
  ['permission type'],
  [
    [AclPermissionTypes.DENY, 'deny'],
    [AclPermissionTypes.ALLOW, 'allow'],
  ],
  [[AclPermissionTypes.ANY, 'any']],
)
