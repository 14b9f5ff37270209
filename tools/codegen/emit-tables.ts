/** Writes the tables: API keys with their versions, and error codes. */

import { HEADER } from './emit-messages.ts'
import { apiNameOf, isEmpty, maxVersion, type Message } from './spec.ts'

export function emitApiTable(requests: readonly Message[]): string {
  const sorted = [...requests].sort((a, b) => a.apiKey - b.apiKey)
  const keys = sorted.map(request => `  ${apiNameOf(request)}: ${request.apiKey},`)
  const rows = sorted.map(request => {
    const flexibleFrom = isEmpty(request.flexible) ? 0x7fff : request.flexible.from
    const name = `'${apiNameOf(request)}'`
    return `  { key: ${request.apiKey}, name: ${name}, minVersion: ${request.versions.from}, maxVersion: ${maxVersion(request)}, flexibleFrom: ${flexibleFrom} },`
  })
  return [
    HEADER,
    "import type { ApiFacts } from '../api.ts'\n",
    '/** Keys of all requests that a client may send, by name. */',
    `export const ApiKey = {\n${keys.join('\n')}\n} as const`,
    '/** The key of a request. */',
    'export type ApiKey = (typeof ApiKey)[keyof typeof ApiKey]\n',
    '/** Name and versions of each of them, by key. */',
    `export const apis: readonly ApiFacts[] = [\n${rows.join('\n')}\n]\n`,
  ].join('\n')
}

/** @param moduleOf the module of an API, by its name */
export function emitWireApis(requests: readonly Message[], moduleOf: (apiName: string) => string): string {
  const names = [...requests].sort((a, b) => a.apiKey - b.apiKey).map(apiNameOf)
  return [
    HEADER,
    "import type { Api, ServerApi } from '../api.ts'",
    ...names.map(name => `import { ${name}, ${name}Server } from './${moduleOf(name)}'`),
    '',
    '/** Both sides of one API. */',
    'export type WireApi = Api<unknown, unknown> & ServerApi<unknown, unknown>',
    '',
    '/** Both sides of every API, by its key. A function, so that who does not call it needs none of them. */',
    'export function wireApis(): Map<number, WireApi> {',
    '  return new Map<number, WireApi>([',
    ...names.map(name => `    [${name}.key, { ...${name}, ...${name}Server } as WireApi],`),
    '  ])',
    '}',
    '',
  ].join('\n')
}

/**
 * @param codesTsv rows of name, code and side, with a title row
 * @param textsTsv rows of name and text, with a title row: one for each code
 */
export function emitErrors(codesTsv: string, textsTsv: string): string {
  const texts = new Map(rowsOf(textsTsv).map(([name, text]) => [name, text]))
  const rows = rowsOf(codesTsv).map(([name, codeText]) => {
    const code = Number(codeText)
    const text = texts.get(name)
    if (codeText === '' || !Number.isInteger(code)) throw new Error(`${name} has no code`)
    if (text === undefined || text === '') throw new Error(`${name} has no text`)
    texts.delete(name)
    return { name: `ERR_${name}`, code, text }
  })
  if (texts.size > 0) throw new Error(`there are no codes for ${[...texts.keys()].join(', ')}`)
  return [
    HEADER.replace("Kafka's message facts", 'spec/error-codes.tsv and spec/error-texts.tsv'),
    "/** Every error code of a broker, and librdkafka's local ones (negative), by name. */",
    `export const ErrorCode = {\n${rows.map(row => `  ${row.name}: ${row.code},`).join('\n')}\n} as const`,
    '/** An error code. */',
    'export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]\n',
    'const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))\n',
    '/** The name of a code, as `ERR_TOPIC_AUTHORIZATION_FAILED`; `ERR_4711` for one that is not known. */',
    'export function errorName(code: number): string {\n  return names.get(code) ?? `ERR_${code}`\n}\n',
    'const texts: { readonly [code: number]: string | undefined } = {',
    ...rows.map(row => `  [${row.code}]: ${JSON.stringify(row.text)},`),
    '}\n',
    '/** What a code means, as the end of a sentence; a code that is not known says so. */',
    'export function errorText(code: number): string {\n  return texts[code] ?? `error ${code}, which this version does not know`\n}\n',
  ].join('\n')
}

function rowsOf(tsv: string): [name: string, value: string][] {
  const lines = tsv.trim().split('\n').slice(1)
  return lines.map(line => {
    const [name = '', value = ''] = line.split('\t')
    return [name, value]
  })
}
