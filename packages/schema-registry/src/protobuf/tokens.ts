/** A `.proto` file's words. */
import { invalidSchema } from '../errors.ts'

export interface Token {
  readonly is: 'word' | 'number' | 'text' | 'symbol' | 'end'
  /** Of text what it stands for. */
  readonly value: string
  readonly at: number
}

/** Blanks and comments, then what follows. A word may have dots in it, and one in front. */
const space = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const word = /\.?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y
const number = /0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fF]?/y
const text = /"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'/y
const symbol = /[{}[\]()<>=;,:+\-/.]/y

const kinds = [
  ['number', number],
  ['word', word],
  ['text', text],
  ['symbol', symbol],
] as const

/** The words of a text, one after the other. */
export class Tokens {
  readonly #source: string
  #next: Token

  constructor(source: string) {
    this.#source = source
    this.#next = this.#read(0)
  }

  peek(): Token {
    return this.#next
  }

  take(): Token {
    const token = this.#next
    if (token.is !== 'end') this.#next = this.#read(this.#end)
    return token
  }

  /** Takes the word or symbol if it is what follows. */
  takes(value: string): boolean {
    const { is, value: found } = this.#next
    if (is === 'text' || is === 'end' || found !== value) return false
    this.take()
    return true
  }

  expect(value: string): void {
    if (!this.takes(value)) throw this.unexpected(`'${value}'`)
  }

  /** A name, with dots if it may have them. */
  name(what: string, dotted = false): string {
    const { is, value } = this.#next
    if (is !== 'word' || (!dotted && value.includes('.'))) throw this.unexpected(what)
    return this.take().value
  }

  /** Neighbouring texts are one. */
  text(what: string): string {
    if (this.#next.is !== 'text') throw this.unexpected(what)
    let all = ''
    do all += this.take().value
    while (this.peek().is === 'text')
    return all
  }

  integer(what: string): number {
    const isNegative = this.takes('-')
    const value = Number(this.#next.value)
    if (this.#next.is !== 'number' || !Number.isInteger(octal(this.#next.value, value))) throw this.unexpected(what)
    const found = octal(this.take().value, value)
    return isNegative ? -found : found
  }

  unexpected(wanted: string): Error {
    const { is, value, at } = this.#next
    return this.error(is === 'end' ? `it ends where ${wanted} is missing` : `${wanted} expected, not '${value}'`, at)
  }

  error(message: string, at = this.#next.at): Error {
    const before = this.#source.slice(0, at).split('\n')
    return invalidSchema(`${message} (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`)
  }

  #end = 0

  #read(from: number): Token {
    let at = from
    for (space.lastIndex = at; space.test(this.#source); space.lastIndex = at) at = space.lastIndex
    this.#end = at
    if (at >= this.#source.length) return { is: 'end', value: '', at }
    for (const [is, pattern] of kinds) {
      pattern.lastIndex = at
      const found = pattern.exec(this.#source)?.[0]
      if (found === undefined) continue
      this.#end = at + found.length
      return { is, value: is === 'text' ? unescaped(found.slice(1, -1)) : found, at }
    }
    throw this.error(`'${this.#source.charAt(at)}' is not expected`, at)
  }
}

/** `017` is 15. */
function octal(written: string, value: number): number {
  return /^0[0-7]+$/.test(written) ? Number.parseInt(written, 8) : value
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

function unescaped(written: string): string {
  if (!written.includes('\\')) return written
  return written.replaceAll(
    /\\(?:[xX]([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (_, hex?: string, octals?: string, short?: string, long?: string, other = '') => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (octals !== undefined) return String.fromCharCode(Number.parseInt(octals, 8) & 0xff)
      const point = short ?? long
      if (point === undefined) return escapes[other as string] ?? String(other)
      const value = Number.parseInt(point, 16)
      return value > 0x10ffff ? '\ufffd' : String.fromCodePoint(value)
    },
  )
}
