/** kafkajs itself, to compare with: what it exports, and parts of it that it does not. */
import { createRequire } from 'node:module'
import type { ICustomPartitioner } from '../src/types/producer.ts'
import type { ISerializer, MemberAssignment, MemberMetadata, PartitionAssigner } from '../src/types/cluster.ts'

const require = createRequire(import.meta.url)

type ErrorClass = new (...args: never[]) => Error & Record<string, unknown>

export interface ErrorCode {
  readonly type: string
  readonly code: number
  readonly retriable: boolean
  readonly message: string
}

/** Its exports, as far as they are compared. */
export const original = require('kafkajs') as Record<string, unknown> & {
  readonly Partitioners: Readonly<Record<string, ICustomPartitioner>>
  readonly PartitionAssigners: { readonly roundRobin: PartitionAssigner }
  readonly AssignerProtocol: {
    readonly MemberMetadata: ISerializer<MemberMetadata>
    readonly MemberAssignment: ISerializer<MemberAssignment>
  }
}

/** Its error classes by name. */
export const originalErrors = Object.fromEntries(
  Object.entries(original).filter(([name, value]) => name.startsWith('KafkaJS') && typeof value === 'function'),
) as Readonly<Record<string, ErrorClass>>

const errors = require('kafkajs/src/protocol/error.js') as { readonly errorCodes: readonly ErrorCode[] }

/** Brokers' error codes, as kafkajs knows them. */
export const originalCodes = errors.errorCodes
