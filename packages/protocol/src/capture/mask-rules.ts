/** Where messages hold credentials and contents. */
import type { Api, Decoded, ServerApi } from '../api.ts'
import { AlterConfigs, AlterConfigsServer } from '../generated/alter-configs.ts'
import {
  AlterUserScramCredentials,
  AlterUserScramCredentialsServer,
} from '../generated/alter-user-scram-credentials.ts'
import { CreateDelegationToken, CreateDelegationTokenServer } from '../generated/create-delegation-token.ts'
import { DescribeDelegationToken, DescribeDelegationTokenServer } from '../generated/describe-delegation-token.ts'
import { ExpireDelegationToken, ExpireDelegationTokenServer } from '../generated/expire-delegation-token.ts'
import { Fetch, FetchServer } from '../generated/fetch.ts'
import { IncrementalAlterConfigs, IncrementalAlterConfigsServer } from '../generated/incremental-alter-configs.ts'
import { Produce, ProduceServer } from '../generated/produce.ts'
import { RenewDelegationToken, RenewDelegationTokenServer } from '../generated/renew-delegation-token.ts'
import { SaslAuthenticate, SaslAuthenticateServer } from '../generated/sasl-authenticate.ts'
import { ShareFetch, ShareFetchServer } from '../generated/share-fetch.ts'
import type { Reader } from '../wire/reader.ts'
import { Writer, type RecordsInput } from '../wire/writer.ts'
import { maskRecords } from './mask-records.ts'

/** Reads a message's body and returns it without what must not be seen; throws ProtocolError. */
export type Rewrite = (r: Reader, version: number) => Buffer

/** What is masked in the messages of one API. */
export interface MaskRule {
  /** Credentials are always masked, contents only on demand. */
  readonly what: 'credentials' | 'contents'
  readonly request: Rewrite | null
  readonly response: Rewrite | null
}

interface Changes<Req, Res> {
  readonly request?: (message: Decoded<Req>) => Req
  readonly response?: (message: Decoded<Res>) => Res
}

// Tagged fields that the codecs do not know are lost here.
function rule<Req, Res>(
  what: MaskRule['what'],
  api: Api<Req, Res>,
  server: ServerApi<Req, Res>,
  { request, response }: Changes<Req, Res>,
): [number, MaskRule] {
  return [
    api.key,
    {
      what,
      request:
        request === undefined
          ? null
          : (r, version) => bytesOf(w => api.writeRequest(w, request(server.readRequest(r, version)), version)),
      response:
        response === undefined
          ? null
          : (r, version) => bytesOf(w => server.writeResponse(w, response(api.readResponse(r, version)), version)),
    },
  ]
}

function bytesOf(write: (w: Writer) => void): Buffer {
  const w = new Writer()
  write(w)
  return w.toBuffer()
}

// Not as many bytes as there were: the length of a token tells that of a password.
const masked = Buffer.from('masked')
const maskedText = 'masked'

function maskedToken(token: Uint8Array): Buffer {
  return token.length === 0 ? Buffer.alloc(0) : masked
}

function masksRecords(records: RecordsInput): Buffer | null {
  return records === null ? null : maskRecords(records as Buffer) // a decoded field is a Buffer
}

interface WithRecords {
  readonly partitions: readonly { readonly records: RecordsInput }[]
}

function maskTopic<T extends WithRecords>(topic: T): T {
  return { ...topic, partitions: topic.partitions.map(each => ({ ...each, records: masksRecords(each.records) })) }
}

// Settings of topics, groups and metrics subscriptions hold no secrets, those of brokers may: passwords of key stores.
const HARMLESS_RESOURCES = new Set([2, 16, 32])

interface WithConfigs {
  readonly resourceType: number
  readonly configs: readonly { readonly value: string | null }[]
}

function maskResource<R extends WithConfigs>(resource: R): R {
  if (HARMLESS_RESOURCES.has(resource.resourceType)) return resource
  const configs = resource.configs.map(each => ({ ...each, value: each.value === null ? null : maskedText }))
  return { ...resource, configs }
}

let rules: ReadonlyMap<number, MaskRule> | null = null

/** The rule of an API, if it has one. */
export function maskRule(apiKey: number): MaskRule | undefined {
  rules ??= allRules()
  return rules.get(apiKey)
}

function allRules(): Map<number, MaskRule> {
  return new Map([
    rule('credentials', SaslAuthenticate, SaslAuthenticateServer, {
      request: m => ({ ...m, authBytes: maskedToken(m.authBytes) }),
      response: m => ({ ...m, authBytes: maskedToken(m.authBytes) }),
    }),
    rule('credentials', AlterUserScramCredentials, AlterUserScramCredentialsServer, {
      request: m => ({
        ...m,
        upsertions: m.upsertions.map(each => ({ ...each, salt: masked, saltedPassword: masked })),
      }),
    }),
    rule('credentials', CreateDelegationToken, CreateDelegationTokenServer, {
      response: m => ({ ...m, hmac: maskedToken(m.hmac) }),
    }),
    rule('credentials', DescribeDelegationToken, DescribeDelegationTokenServer, {
      response: m => ({ ...m, tokens: m.tokens.map(each => ({ ...each, hmac: masked })) }),
    }),
    rule('credentials', RenewDelegationToken, RenewDelegationTokenServer, {
      request: m => ({ ...m, hmac: masked }),
    }),
    rule('credentials', ExpireDelegationToken, ExpireDelegationTokenServer, {
      request: m => ({ ...m, hmac: masked }),
    }),
    rule('credentials', AlterConfigs, AlterConfigsServer, {
      request: m => ({ ...m, resources: m.resources.map(maskResource) }),
    }),
    rule('credentials', IncrementalAlterConfigs, IncrementalAlterConfigsServer, {
      request: m => ({ ...m, resources: m.resources.map(maskResource) }),
    }),
    rule('contents', Produce, ProduceServer, {
      request: m => ({
        ...m,
        topicData: m.topicData.map(topic => ({
          ...topic,
          partitionData: topic.partitionData.map(each => ({ ...each, records: masksRecords(each.records) })),
        })),
      }),
    }),
    rule('contents', Fetch, FetchServer, { response: m => ({ ...m, responses: m.responses.map(maskTopic) }) }),
    rule('contents', ShareFetch, ShareFetchServer, {
      response: m => ({ ...m, responses: m.responses.map(maskTopic) }),
    }),
  ])
}
