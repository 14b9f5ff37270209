/** Words for messages that have no summary of their own: their plain fields, the sizes of their lists, and every error. */
import { errorName } from '../generated/error-codes.ts'
import { few } from './phrases.ts'

const SILENT = new Set(['throttleTimeMs', 'errorCode', 'errorMessage'])
const LONGEST_TEXT = 60

/** The words after the header. */
export function otherWords(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null) return []
  const words: string[] = []
  for (const [name, value] of Object.entries(body)) {
    const text = SILENT.has(name) ? '' : fieldWords(name, value)
    if (text !== '') words.push(text)
  }
  const errors: string[] = []
  collectErrors(body, '', errors)
  return [...words, few(errors)]
}

function fieldWords(name: string, value: unknown): string {
  if (value === null || value === undefined || value === '' || value === false) return ''
  if (Array.isArray(value)) return value.length === 0 ? '' : `${name} (${value.length})`
  if (value instanceof Uint8Array) return `${name} (${value.length} bytes)`
  if (typeof value === 'string')
    return value.length > LONGEST_TEXT ? `${name}=${value.slice(0, LONGEST_TEXT)}…` : `${name}=${value}`
  if (typeof value === 'number' || typeof value === 'bigint' || value === true) return `${name}=${value}`
  return ''
}

function collectErrors(value: unknown, path: string, errors: string[]): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  for (const [name, field] of Object.entries(value)) {
    const where = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    if (typeof field === 'number' && name.toLowerCase().endsWith('errorcode')) {
      if (field !== 0) errors.push(path === '' ? errorName(field) : `${path} ${errorName(field)}`)
    } else {
      collectErrors(field, where, errors)
    }
  }
}
