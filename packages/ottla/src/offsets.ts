/** What an application passes as an offset. */
import { OFFSET_BEGINNING, OFFSET_INVALID, OFFSET_STORED, offsetTail } from './types.ts'

const TAIL_BASE = /* @__PURE__ */ offsetTail(0)

/** The n of offsetTail(n), or -1 for any other offset. */
export function tailOf(offset: number): number {
  return offset <= TAIL_BASE ? TAIL_BASE - offset : -1
}

/** Whether it is an offset, logical ones included. */
export function isOffset(offset: unknown): boolean {
  if (!Number.isSafeInteger(offset)) return false
  const number = offset as number // just checked
  if (number >= OFFSET_BEGINNING) return true
  return number === OFFSET_STORED || number === OFFSET_INVALID || number <= TAIL_BASE
}

/** What is wrong with something that is not an offset; shows its type only, unless it is a number. */
export function wrongOffset(offset: unknown, isLogicalToo = true): string {
  const logical = ', OFFSET_BEGINNING, OFFSET_END, OFFSET_STORED, OFFSET_INVALID or offsetTail(n)'
  const must = `must be a whole number from 0${isLogicalToo ? logical : ''}`
  switch (typeof offset) {
    case 'number':
      return `${must}, not ${offset}`
    case 'string':
    case 'bigint':
      return `${must}, not a ${typeof offset}; Number(offset) makes one`
    default:
      return `${must}, not ${offset === null ? 'null' : typeof offset === 'undefined' ? 'undefined' : `a value of type ${typeof offset}`}`
  }
}
