import { InvalidArgumentError } from 'commander'
import { UsageError } from './terminal.ts'

/** Parser of a repeatable option. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

/** Parser of an option that takes a whole number. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return value => {
    const number = Number(value)
    if (value.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) return number
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    throw new InvalidArgumentError(`It must be a whole number ${range}.`)
  }
}

export interface Credentials {
  readonly user: string
  readonly password: string
}

/**
 * `alice:secret`
 * @throws UsageError
 */
export function parseCredentials(text: string, option: string): Credentials {
  const at = text.indexOf(':')
  // Do not quote the text: it holds a password, and an error may end up in a log.
  if (at < 1) throw new UsageError(`${option}: write it as USER:PASSWORD`)
  return { user: text.slice(0, at), password: text.slice(at + 1) }
}
