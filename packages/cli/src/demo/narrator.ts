import type { Writable } from 'node:stream'
import { tableLines, type Column } from '../terminal/table.ts'

const INDENT = '     '

/** Prints the steps of the demo, and collects the checks that failed. */
export class Narrator {
  readonly #out: Writable
  #steps = 0
  #failed: string[] = []

  constructor(out: Writable) {
    this.#out = out
  }

  /** The claims that did not hold. */
  get failed(): readonly string[] {
    return this.#failed
  }

  title(text: string): void {
    this.#line(text)
  }

  step(text: string): void {
    this.#line('')
    this.#line(`${String(++this.#steps).padStart(3)}  ${text}`)
  }

  say(text: string): void {
    this.#line(`${INDENT}${text}`)
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    for (const line of tableLines(rows, columns)) this.say(`  ${line}`)
  }

  /** Prints a claim, marked by whether it holds. */
  check(claim: string, holds: boolean): void {
    if (!holds) this.#failed.push(claim)
    this.#line(`${INDENT}${holds ? '✓' : '✗'} ${claim}`)
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`)
  }
}
