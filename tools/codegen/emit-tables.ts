/** Writes the tables: API keys with their versions, and error codes. */

import { HEADER } from './emit-messages.ts'
import { isEmpty, type Message } from './spec.ts'

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
    'export type ApiKey = (typeof ApiKey)[keyof typeof ApiKey]\n',
    '/** Name and versions of each of them, by key. */',
    `export const apis: readonly ApiFacts[] = [\n${rows.join('\n')}\n]\n`,
  ].join('\n')
}

export function apiNameOf(request: Message): string {
  return request.name.replace(/Request$/, '')
}

export function maxVersion(request: Message): number {
  const { from, to } = request.versions
  return request.latestVersionUnstable && to > from ? to - 1 : to
}

interface ErrorRow {
  readonly name: string
  readonly code: number
}

/** @param tsv rows of name, code and side, with a title row */
export function emitErrors(tsv: string): string {
  const rows: ErrorRow[] = tsv
    .trim()
    .split('\n')
    .slice(1)
    .map(line => {
      const [name, code] = line.split('\t')
      if (name === undefined || code === undefined || !Number.isInteger(Number(code)))
        throw new Error(`bad row: ${line}`)
      return { name: `ERR_${name}`, code: Number(code) }
    })
  return [
    HEADER.replace("Kafka's message facts", 'spec/error-codes.tsv'),
    "/** Every error code of a broker, and librdkafka's local ones (negative), by name. */",
    `export const ErrorCode = {\n${rows.map(row => `  ${row.name}: ${row.code},`).join('\n')}\n} as const`,
    'export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]\n',
    'const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))\n',
    '/** The name of a code, as `ERR_TOPIC_AUTHORIZATION_FAILED`; `ERR_4711` for one that is not known. */',
    'export function errorName(code: number): string {\n  return names.get(code) ?? `ERR_${code}`\n}\n',
  ].join('\n')
}
