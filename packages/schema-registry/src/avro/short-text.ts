/**
 * Short text, quickly. One call of the engine's UTF-8 decoder costs as much as a whole small record, and
 * `String.fromCharCode` with a fixed number of arguments a third of that.
 */

/** The longest text that `shortText` takes, bytes. */
export const SHORT_TEXT = 24

/**
 * Text of up to SHORT_TEXT bytes.
 * @param at where it begins; all of it must be inside
 */
export type ShortText = (bytes: Buffer, at: number, size: number) => string

let made: ShortText | null = null

/** The function, which is made of code when first asked for: a case for each length. */
export function shortTextReader(): ShortText {
  if (made !== null) return made
  const cases = Array.from({ length: SHORT_TEXT }, (_, i) => caseOf(i + 1)).join('\n')
  const body = `const text = String.fromCharCode
    return function shortText(b, p, size) {
      switch (size) {
        ${cases}
      }
      return ''
    }`
  // The code is the same in every program: nothing of a schema or a message is in it.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  made = (new Function(body) as () => ShortText)()
  return made
}

function caseOf(size: number): string {
  const names = Array.from({ length: size }, (_, i) => `c${i}`)
  const reads = names.map((name, i) => `${name} = b[p + ${i}]`).join(', ')
  return `case ${size}: {
    const ${reads}
    return (${names.join(' | ')}) < 128 ? text(${names.join(', ')}) : b.toString("utf8", p, p + ${size})
  }`
}
