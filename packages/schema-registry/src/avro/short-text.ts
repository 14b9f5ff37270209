/**
 * Short text, quickly. One call of the engine's UTF-8 decoder costs as much as a whole small record, and
 * `String.fromCharCode` with a fixed number of arguments a third of that.
 */

/** The longest text that `shortText` takes, bytes. */
export const SHORT_TEXT = 32

/**
 * Text of up to SHORT_TEXT bytes.
 * @param at where it begins; all of it must be inside
 */
export type ShortText = (bytes: Buffer, at: number, size: number) => string

const units = new Uint16Array(SHORT_TEXT)

let made: ShortText | null = null

/** The function, which is made of code when first asked for: a case for each length. */
export function shortTextReader(): ShortText {
  if (made !== null) return made
  const sizes = Array.from({ length: SHORT_TEXT }, (_, i) => i + 1)
  const body = `const text = String.fromCharCode
    function ofUnits(size) {
      switch (size) {
        ${sizes.map(unitsCase).join('\n')}
      }
      return ''
    }
    function mixed(b, p, size) {
      const count = readUnits(b, p, size)
      return count < 0 ? b.toString("utf8", p, p + size) : ofUnits(count)
    }
    return function shortText(b, p, size) {
      switch (size) {
        ${sizes.map(asciiCase).join('\n')}
      }
      return ''
    }`
  // The code is the same in every program: nothing of a schema or a message is in it.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const make = new Function('units', 'readUnits', body) as (to: Uint16Array, read: typeof readUnits) => ShortText
  made = make(units, readUnits)
  return made
}

function asciiCase(size: number): string {
  const names = Array.from({ length: size }, (_, i) => `c${i}`)
  const reads = names.map((name, i) => `${name} = b[p + ${i}]`).join(', ')
  return `case ${size}: {
    const ${reads}
    return (${names.join(' | ')}) < 128 ? text(${names.join(', ')}) : mixed(b, p, ${size})
  }`
}

function unitsCase(size: number): string {
  return `case ${size}: return text(${Array.from({ length: size }, (_, i) => `units[${i}]`).join(', ')})`
}

/**
 * Fills `units` with the UTF-16 of text whose characters take up to three bytes each.
 * @returns how many there are; -1 for longer characters and for what is no UTF-8, which the engine's decoder reads
 */
function readUnits(bytes: Buffer, at: number, size: number): number {
  const end = at + size
  let count = 0
  while (at < end) {
    const first = bytes[at] as number
    if (first < 0x80) {
      units[count++] = first
      at++
      continue
    }
    const second = at + 1 < end ? (bytes[at + 1] as number) : 0
    if ((second & 0xc0) !== 0x80) return -1
    if (first >= 0xc2 && first < 0xe0) {
      units[count++] = ((first & 0x1f) << 6) | (second & 0x3f)
      at += 2
      continue
    }
    const third = at + 2 < end ? (bytes[at + 2] as number) : 0
    if ((first & 0xf0) !== 0xe0 || (third & 0xc0) !== 0x80) return -1
    const unit = ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f)
    // Too long a form, or half of a surrogate pair.
    if (unit < 0x800 || (unit & 0xf800) === 0xd800) return -1
    units[count++] = unit
    at += 3
  }
  return count
}
