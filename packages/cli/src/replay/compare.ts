/** What another cluster gives other names: ids are translated, and answers compared in everything else. */
import { BatchReader, ZERO_UUID, crc32c, errorName } from '@ottla/protocol'

/** Chosen by the cluster or by chance: what was recorded as one is another now. */
const TRANSLATED = new Set([
  'topicId',
  'memberId',
  'leader',
  'producerId',
  'producerEpoch',
  'v3AndBelowProducerId',
  'v3AndBelowProducerEpoch',
  'sessionId',
  'generationId',
  'generationIdOrMemberEpoch',
  'memberEpoch',
])

/** Fields that mean the same under different names share their translations. */
const SAME_AS: Readonly<Record<string, string>> = {
  leader: 'memberId',
  generationIdOrMemberEpoch: 'generationId',
  v3AndBelowProducerId: 'producerId',
  v3AndBelowProducerEpoch: 'producerEpoch',
}

/** Small numbers that many have in common: whose they are, by a field beside them. */
const OWNERS: Readonly<Record<string, string>> = {
  producerEpoch: 'producerId',
  v3AndBelowProducerEpoch: 'v3AndBelowProducerId',
  generationId: 'memberId',
  generationIdOrMemberEpoch: 'memberId',
  memberEpoch: 'memberId',
}

/** 0 says that there is none yet; elsewhere a negative number or an empty text does. */
const NONE_IF_ZERO = new Set(['sessionId', 'memberEpoch'])

/** Differ between clusters, or from moment to moment, without a meaning. */
const IGNORED = new Set([
  'throttleTimeMs',
  'clusterId',
  'controllerId',
  'brokers',
  'nodeEndpoints',
  'nodeId',
  'host',
  'port',
  'leaderId',
  'leaderEpoch',
  'currentLeader',
  'replicaNodes',
  'isrNodes',
  'offlineReplicas',
  'logAppendTimeMs',
  'timestamp',
  'committedLeaderEpoch',
  'heartbeatIntervalMs',
  'errorMessage',
  'authBytes',
  'assignment',
  'members',
])

/** Epochs of leaders that another cluster does not know; -1 asks for no check. */
const UNCHECKED = new Set(['currentLeaderEpoch', 'lastFetchedEpoch'])

type Scalar = string | number | bigint | boolean
type Fields = Readonly<Record<string, unknown>>

/** What recorded ids are now. */
export class Translation {
  readonly #known = new Map<string, Scalar>()

  /** A request as it has to be put now. */
  request(body: unknown): unknown {
    return this.#translated(body, '', {})
  }

  /** Where an answer is not the recorded one, a line each; learns the ids of both. */
  differences(recorded: unknown, now: unknown): string[] {
    const found: string[] = []
    this.#compare(recorded, now, '', '', {}, found)
    return found
  }

  #translated(value: unknown, name: string, beside: Fields): unknown {
    if (value instanceof Uint8Array) return name === 'records' ? this.#batches(Buffer.from(value)) : value
    if (Array.isArray(value)) return value.map(each => this.#translated(each, name, beside))
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, this.#translated(field, key, value)]))
    }
    if (UNCHECKED.has(name)) return -1
    return isScalar(value) && TRANSLATED.has(name) ? this.#now(name, value, beside) : value
  }

  /** @param beside the recorded fields of the same object, which say whose it is */
  #now(name: string, value: Scalar, beside: Fields): Scalar {
    return this.#known.get(keyOf(name, value, beside)) ?? this.#known.get(keyOf(name, value)) ?? value
  }

  #learn(name: string, recorded: Scalar, now: Scalar, beside: Fields): void {
    if (isNone(name, recorded)) return
    this.#known.set(keyOf(name, recorded, beside), now)
    // A later message may not name the owner.
    this.#known.set(keyOf(name, recorded), now)
  }

  /** Batches carry the id of their producer. */
  #batches(records: Buffer): Buffer {
    const reader = new BatchReader(records)
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      if (batch.magic !== 2 || batch.producerId < 0n) continue
      const id = this.#now('producerId', batch.producerId, {})
      const epoch = this.#now('producerEpoch', batch.producerEpoch, { producerId: batch.producerId })
      const bytes = records.subarray(batch.start, batch.start + batch.sizeBytes)
      bytes.writeBigInt64BE(BigInt(id), PRODUCER_ID_AT)
      bytes.writeInt16BE(Number(epoch), PRODUCER_EPOCH_AT)
      bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
    }
    return records
  }

  #compare(recorded: unknown, now: unknown, name: string, path: string, beside: Fields, found: string[]): void {
    if (IGNORED.has(name)) return
    if (name === 'records') {
      differ(recordCount(recorded), recordCount(now), `${path} (number)`, found)
    } else if (recorded instanceof Uint8Array) {
      differ(recorded.length, (now as Uint8Array | null)?.length ?? null, `${path} (bytes)`, found)
    } else if (Array.isArray(recorded) && Array.isArray(now)) {
      this.#compareLists(recorded, now, path, found)
    } else if (isObject(recorded) && isObject(now)) {
      for (const [key, field] of Object.entries(recorded)) {
        this.#compare(field, now[key], key, path === '' ? key : `${path}.${key}`, recorded, found)
      }
    } else if (TRANSLATED.has(name) && isScalar(recorded) && isScalar(now)) {
      this.#learn(name, recorded, now, beside)
    } else if (isErrorCode(name, recorded) && isErrorCode(name, now)) {
      differ(errorName(recorded), errorName(now), path, found)
    } else {
      differ(recorded, now, path, found)
    }
  }

  #compareLists(recorded: readonly unknown[], now: readonly unknown[], path: string, found: string[]): void {
    const left = new Map(now.map((each, i) => [this.#identity(each, i), each]))
    recorded.forEach((each, i) => {
      const identity = this.#translatedIdentity(each, i)
      const other = left.get(identity)
      if (other === undefined && !left.has(identity)) found.push(`${path}[${identity}]: recorded, not there now`)
      else this.#compare(each, other, '', `${path}[${identity}]`, {}, found)
      left.delete(identity)
    })
    for (const identity of left.keys()) found.push(`${path}[${identity}]: not recorded, there now`)
  }

  #identity(value: unknown, index: number): string {
    if (!isObject(value)) return String(index)
    for (const name of IDENTITIES) {
      const part = value[name]
      if (isScalar(part) && part !== '') return String(part)
    }
    return String(index)
  }

  #translatedIdentity(value: unknown, index: number): string {
    const identity = this.#identity(value, index)
    return isObject(value) && value['topicId'] === identity ? String(this.#now('topicId', identity, {})) : identity
  }
}

// Positions in the header of a batch.
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51

/** What tells the elements of a list apart, whatever their order. */
const IDENTITIES = ['name', 'topic', 'topicId', 'partitionIndex', 'index', 'partition', 'key', 'apiKey', 'groupId']

function keyOf(name: string, value: Scalar, beside: Fields = {}): string {
  const owner = beside[OWNERS[name] ?? '']
  const whose = isScalar(owner) ? ` of ${owner}` : ''
  return `${SAME_AS[name] ?? name}=${value}${whose}`
}

function isNone(name: string, value: Scalar): boolean {
  if (typeof value === 'string') return value === '' || value === ZERO_UUID
  return typeof value !== 'boolean' && (value < 0 || (value === 0 && NONE_IF_ZERO.has(name)))
}

function isErrorCode(name: string, value: unknown): value is number {
  return name.toLowerCase().endsWith('errorcode') && typeof value === 'number'
}

function isScalar(value: unknown): value is Scalar {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function differ(recorded: unknown, now: unknown, path: string, found: string[]): void {
  if (recorded !== now) found.push(`${path}: ${String(recorded)} recorded, ${String(now)} now`)
}

function recordCount(records: unknown): number {
  if (!(records instanceof Uint8Array)) return 0
  const reader = new BatchReader(records)
  let count = 0
  for (let batch = reader.next(); batch !== null; batch = reader.next()) count += batch.recordCount
  return count
}
