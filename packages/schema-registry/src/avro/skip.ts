/** Code that passes over values that a reader does not want. */
import type { GeneratedCode } from './generated-code.ts'
import { mayBeEmpty } from './resolution.ts'
import type { AvroType } from './types.ts'

export class SkipCode {
  readonly #code: GeneratedCode
  readonly #functions = new Map<AvroType, string>()

  constructor(code: GeneratedCode) {
    this.#code = code
  }

  /** Statements that move `p` behind a value. */
  value(type: AvroType): string {
    return type.kind === 'null' ? '' : `r.at = p; ${this.#move(type)}; p = r.at`
  }

  /** Statements that move `r.at`. */
  #move(type: AvroType): string {
    switch (type.kind) {
      case 'null':
        return ''
      case 'boolean':
        return 'boolean(r)'
      case 'int':
      case 'enum':
        return 'int(r)'
      case 'long':
        return 'roundedLong(r)'
      case 'float':
        return 'skip(r, 4)'
      case 'double':
        return 'skip(r, 8)'
      case 'string':
      case 'bytes':
        return 'skipBlob(r)'
      case 'fixed':
        return `skip(r, ${type.size})`
      default:
        return `${this.#function(type)}(r)`
    }
  }

  #function(type: Extract<AvroType, { kind: 'array' | 'map' | 'record' | 'union' }>): string {
    const known = this.#functions.get(type)
    if (known !== undefined) return known
    const name = this.#code.name('s')
    this.#functions.set(type, name)
    this.#code.addFunction(`function ${name}(r) {\n${this.#body(type)}\n}`)
    return name
  }

  #body(type: Extract<AvroType, { kind: 'array' | 'map' | 'record' | 'union' }>): string {
    switch (type.kind) {
      case 'record':
        return type.fields.map(field => this.#move(field.type)).join('\n')
      case 'array':
        return blocks(this.#move(type.items), mayBeEmpty(type.items))
      case 'map':
        return blocks(`skipBlob(r)\n${this.#move(type.values)}`, false)
      case 'union': {
        const cases = type.branches.map((branch, i) => `case ${i}: ${this.#move(branch)}\nbreak`)
        return `switch (int(r)) {\n${cases.join('\n')}\ndefault: unknownBranch("a value that is passed over")\n}`
      }
      default:
        return type satisfies never
    }
  }
}

function blocks(item: string, isEmpty: boolean): string {
  return `for (let n = blockCount(r, ${isEmpty}); n > 0; n = blockCount(r, ${isEmpty})) {
    for (; n > 0; n--) {\n${item}\n}
  }`
}
