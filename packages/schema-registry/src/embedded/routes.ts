/** The REST API: which path does what. */
import type { RegistryCore, GivenSchema } from './registry.ts'
import { Refusal, refusals } from './failure.ts'
import { contextOf, DEFAULT_CONTEXT, hasPrefix, subjectName } from './names.ts'
import type { ConfigRecord, SchemaRecord } from './records.ts'
import { guidOf, type Content } from './store.ts'

export interface RegistryRequest {
  readonly method: string
  /** Decoded parts of the path. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
}

/** The answer's JSON, or text that is JSON already. */
type Answer = { readonly json: unknown } | { readonly text: string }

type Handler = (core: RegistryCore, request: RegistryRequest, parts: readonly string[]) => unknown

/** A schema's text as it is. */
class Raw {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const is = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true'

/** Method and path; `*` is any part. The first that fits is taken. */
const routes: readonly (readonly [method: string, path: string, handler: Handler])[] = [
  ['GET', '', () => ({})],
  ['GET', 'subjects', listSubjects],
  [
    'POST',
    'subjects/*',
    (core, { body, query }, [subject = '']) =>
      described(core, query, core.lookup(subject, givenOf(body), is(query, 'deleted'), is(query, 'normalize'))),
  ],
  ['DELETE', 'subjects/*', (core, { query }, [subject = '']) => core.deleteSubject(subject, is(query, 'permanent'))],
  ['GET', 'subjects/*/versions', listVersions],
  [
    'POST',
    'subjects/*/versions',
    (core, { body, query }, [subject = '']) =>
      registered(core, query, core.register(subject, givenOf(body), is(query, 'normalize'))),
  ],
  [
    'GET',
    'subjects/*/versions/*',
    (core, { query }, [subject = '', version = '']) =>
      described(core, query, core.version(subject, version, is(query, 'deleted'))),
  ],
  [
    'DELETE',
    'subjects/*/versions/*',
    (core, { query }, [subject = '', version = '']) => core.deleteVersion(subject, version, is(query, 'permanent')),
  ],
  [
    'GET',
    'subjects/*/versions/*/schema',
    (core, { query }, [subject = '', version = '']) =>
      new Raw(core.textOf(core.version(subject, version, is(query, 'deleted')), query.get('format'))),
  ],
  [
    'GET',
    'subjects/*/versions/*/referencedby',
    (core, _, [subject = '', version = '']) => core.referencedBy(subject, version),
  ],
  ['GET', 'subjects/*/metadata', latestWithMetadata],
  ['GET', 'schemas', listSchemas],
  ['GET', 'schemas/types', () => ['JSON', 'PROTOBUF', 'AVRO']],
  [
    'GET',
    'schemas/ids/*',
    (core, request, [id = '']) => contentDescribed(core, request.query, contentOf(core, request, id)),
  ],
  [
    'GET',
    'schemas/ids/*/schema',
    (core, request, [id = '']) => new Raw(core.textOf(contentOf(core, request, id), request.query.get('format'))),
  ],
  [
    'GET',
    'schemas/ids/*/subjects',
    (core, request, [id = '']) => [...new Set(usesOf(core, request, id).map(({ subject }) => subject))],
  ],
  [
    'GET',
    'schemas/ids/*/versions',
    (core, request, [id = '']) => usesOf(core, request, id).map(({ subject, version }) => ({ subject, version })),
  ],
  ['GET', 'schemas/guids/*', byGuid],
  ['GET', 'contexts', core => [...new Set([DEFAULT_CONTEXT, ...core.store.subjects().map(contextOf)])].sort()],
  [
    'POST',
    'compatibility/subjects/*/versions',
    (core, request, [subject = '']) => compatibility(core, request, subject, null),
  ],
  [
    'POST',
    'compatibility/subjects/*/versions/*',
    (core, request, [subject = '', version = '']) => compatibility(core, request, subject, version),
  ],
  ['GET', 'config', core => configDescribed(core.config(null))],
  ['PUT', 'config', (core, { body }) => putConfig(core, null, body)],
  ['DELETE', 'config', core => dropConfig(core, null)],
  ['GET', 'config/*', getConfig],
  ['PUT', 'config/*', (core, { body }, [subject = '']) => putConfig(core, subject, body)],
  ['DELETE', 'config/*', (core, _, [subject = '']) => dropConfig(core, subject)],
  ['GET', 'mode', core => ({ mode: core.store.mode(null) ?? 'READWRITE' })],
  ['PUT', 'mode', (core, { body, query }) => putMode(core, null, body, query)],
  ['GET', 'mode/*', getMode],
  ['PUT', 'mode/*', (core, { body, query }, [subject = '']) => putMode(core, subject, body, query)],
  ['DELETE', 'mode/*', dropMode],
  [
    'GET',
    'v1/metadata/id',
    () => ({
      scope: { path: [], clusters: { 'kafka-cluster': 'ottla', 'schema-registry-cluster': 'schema-registry' } },
    }),
  ],
  ['GET', 'v1/metadata/version', () => ({ version: '8.0.0', commitId: 'ottla' })],
]

const byMethod = routes.map(([method, path, handler]) => ({
  method,
  parts: path === '' ? [] : path.split('/'),
  handler,
}))

/** @throws Refusal */
export function answered(core: RegistryCore, given: RegistryRequest): Answer {
  const request = withContext(given)
  const { method, path } = request
  const fitting = byMethod.filter(
    ({ parts }) => parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i]),
  )
  const route = fitting.find(each => each.method === method)
  if (route === undefined) {
    throw fitting.length > 0 ? new Refusal(405, 'HTTP 405 Method Not Allowed') : new Refusal(404, 'HTTP 404 Not Found')
  }
  const isSubject = ['subjects', 'config', 'mode', 'compatibility'].includes(path[0] ?? '')
  const parts = path
    .filter((_, i) => route.parts[i] === '*')
    .map((part, i) => (i === 0 && isSubject ? subjectName(part) : part))
  const made = route.handler(core, request, parts)
  return made instanceof Raw ? { text: made.text } : { json: made }
}

/** `/contexts/.staging/subjects/a` is `/subjects/:.staging:a`. */
function withContext(request: RegistryRequest): RegistryRequest {
  const [first, context = '', ...path] = request.path
  if (first !== 'contexts' || path.length === 0) return request
  const prefix = `:${context.replaceAll(':', '')}:`
  const query = new URLSearchParams(request.query)
  const at = path[0] === 'compatibility' ? 2 : 1
  if (path[0] === 'schemas') query.set('subject', prefix + (query.get('subject') ?? ''))
  else if (path.length > at || path[0] === 'config' || path[0] === 'mode') path[at] = prefix + (path[at] ?? '')
  if (path.length === 1) query.set('subjectPrefix', prefix + (query.get('subjectPrefix') ?? ''))
  return { ...request, path, query }
}

function givenOf(body: Record<string, unknown>): GivenSchema {
  return body as unknown as GivenSchema
}

/** The text only where it is not what was given: clients keep it, whatever form of it they have asked for. */
function registered(core: RegistryCore, query: URLSearchParams, record: SchemaRecord): object {
  const { id, version, metadata } = record
  return metadata === undefined ? { id, version, guid: guidOf(record) } : described(core, query, record)
}

function described(core: RegistryCore, query: URLSearchParams, record: SchemaRecord): object {
  const { subject, version, id, schemaType = 'AVRO', references, metadata, deleted } = record
  const schema = core.textOf(record, query.get('format'))
  return {
    ...{ subject, version, id, guid: guidOf(record), schemaType },
    ...(references === undefined ? {} : { references }),
    ...(metadata === undefined ? {} : { metadata }),
    schema,
    ...(deleted ? { deleted } : {}),
  }
}

function contentDescribed(core: RegistryCore, query: URLSearchParams, content: Content): object {
  const { schemaType, references, metadata } = content
  const schema = core.textOf(content, query.get('format'))
  return {
    schema,
    ...(schemaType === undefined ? {} : { schemaType }),
    ...(references === undefined ? {} : { references }),
    ...(metadata === undefined ? {} : { metadata }),
    guid: guidOf(content),
  }
}

/** By default of all contexts. */
function fits(subject: string, query: URLSearchParams): boolean {
  return hasPrefix(subject, query.get('subjectPrefix') ?? ':*:')
}

function listed(record: SchemaRecord, query: URLSearchParams): boolean {
  if (is(query, 'deletedOnly')) return record.deleted
  return !record.deleted || is(query, 'deleted')
}

function listSubjects(core: RegistryCore, { query }: RegistryRequest): string[] {
  return core.store
    .subjects()
    .filter(subject => fits(subject, query) && core.store.versions(subject).some(record => listed(record, query)))
}

function listVersions(core: RegistryCore, { query }: RegistryRequest, [subject = '']: readonly string[]): number[] {
  const versions = core.store.versions(subject).filter(record => listed(record, query))
  if (versions.length === 0) throw refusals.noSubject(subject)
  return versions.map(({ version }) => version)
}

function listSchemas(core: RegistryCore, { query }: RegistryRequest): object[] {
  const subjects = core.store.subjects().filter(subject => fits(subject, query))
  return subjects.flatMap(subject => {
    const records = core.store.versions(subject).filter(record => listed(record, query))
    return (is(query, 'latestOnly') ? records.slice(-1) : records).map(record => described(core, query, record))
  })
}

function latestWithMetadata(core: RegistryCore, { query }: RegistryRequest, [subject = '']: readonly string[]): object {
  const [keys, values] = [query.getAll('key'), query.getAll('value')]
  const versions = core.store.versions(subject).filter(record => listed(record, query))
  if (versions.length === 0) throw refusals.noSubject(subject)
  const found = versions.findLast(({ metadata }) => keys.every((key, i) => metadata?.properties?.[key] === values[i]))
  if (found === undefined) throw refusals.noSchema()
  return described(core, query, found)
}

function contentOf(core: RegistryCore, { query }: RegistryRequest, id: string): Content {
  const content = core.store.content(Number(id), contextOf(query.get('subject') ?? ''))
  if (content === undefined) throw refusals.noSchemaWithId(id)
  return content
}

function usesOf(core: RegistryCore, request: RegistryRequest, id: string): SchemaRecord[] {
  contentOf(core, request, id)
  const context = contextOf(request.query.get('subject') ?? '')
  return core.store
    .all()
    .filter(
      record => record.id === Number(id) && contextOf(record.subject) === context && listed(record, request.query),
    )
}

function byGuid(core: RegistryCore, { query }: RegistryRequest, [guid = '']: readonly string[]): object {
  const content = core.store.byGuid(guid)
  if (content === undefined) throw refusals.noSchemaWithId(guid)
  return contentDescribed(core, query, content)
}

function compatibility(
  core: RegistryCore,
  { body, query }: RegistryRequest,
  subject: string,
  version: string | null,
): object {
  const messages = core.compatibility(subject, givenOf(body), version)
  return { is_compatible: messages.length === 0, ...(is(query, 'verbose') ? { messages } : {}) }
}

function configDescribed(config: ConfigRecord | undefined): object {
  return { compatibilityLevel: 'BACKWARD', ...config }
}

function getConfig(core: RegistryCore, { query }: RegistryRequest, [subject = '']: readonly string[]): object {
  const own = core.config(subject)
  if (own === undefined && !is(query, 'defaultToGlobal')) throw refusals.noConfig(subject)
  return configDescribed(own ?? core.config(null))
}

function putConfig(core: RegistryCore, subject: string | null, body: Record<string, unknown>): object {
  core.setConfig(subject, body)
  return body
}

function dropConfig(core: RegistryCore, subject: string | null): object {
  const own = core.config(subject)
  if (own === undefined && subject !== null) throw refusals.noSubject(subject)
  core.store.putConfig(subject, null)
  return configDescribed(own)
}

function getMode(core: RegistryCore, { query }: RegistryRequest, [subject = '']: readonly string[]): object {
  const own = core.store.mode(subject)
  if (own === undefined && !is(query, 'defaultToGlobal')) throw refusals.noMode(subject)
  return { mode: core.modeOf(subject) }
}

function putMode(
  core: RegistryCore,
  subject: string | null,
  { mode }: Record<string, unknown>,
  query: URLSearchParams,
): object {
  core.setMode(subject, mode, is(query, 'force'))
  return { mode }
}

function dropMode(core: RegistryCore, _: RegistryRequest, [subject = '']: readonly string[]): object {
  const mode = core.store.mode(subject)
  if (mode === undefined) throw refusals.noSubject(subject)
  core.store.putMode(subject, null)
  return { mode }
}
