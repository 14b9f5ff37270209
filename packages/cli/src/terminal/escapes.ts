import { UsageError } from './terminal.ts'

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '0': '\0' }

/**
 * The bytes of a delimiter or format on the command line, with escapes such as `\n`, `\t`, `\x1f` replaced.
 * @throws UsageError for an unknown escape
 */
export function unescapeBytes(text: string, option: string): Buffer {
  const parts: Buffer[] = []
  const pattern = /\\x([0-9a-fA-F]{1,2})|\\(.?)|[^\\]+/gsu
  for (const [whole, hex, letter] of text.matchAll(pattern)) {
    if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]))
    else if (letter === undefined) parts.push(Buffer.from(whole))
    else parts.push(Buffer.from(plain(letter, option)))
  }
  return Buffer.concat(parts)
}

function plain(letter: string, option: string): string {
  const found = letters[letter]
  if (found !== undefined) return found
  throw new UsageError(`${option}: unknown escape '\\${letter}'; use \\n \\r \\t \\0 \\\\ or \\xHH`)
}
