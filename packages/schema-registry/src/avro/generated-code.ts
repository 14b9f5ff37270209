/** JavaScript that is made for a schema. Names of a schema get into it as JSON text only. */
import { SchemaRegistryError } from '../errors.ts'

/** Source text, and the values that it refers to as `k[0]`, `k[1]`, … */
export class GeneratedCode {
  readonly #functions: string[] = []
  readonly #constants: unknown[] = []
  #count = 0

  /** A name that nothing else has. */
  name(prefix: string): string {
    return `${prefix}${this.#count++}`
  }

  /** How the code refers to a value. */
  constant(value: unknown): string {
    this.#constants.push(value)
    return `k${this.#constants.length - 1}`
  }

  addFunction(source: string): void {
    this.#functions.push(source)
  }

  /** The value of an expression in the code. */
  run(runtime: object, expression: string): unknown {
    const constants = this.#constants.map((_, i) => `const k${i} = k[${i}]`).join('\n')
    const helpers = `const { ${Object.keys(runtime).join(', ')} } = runtime`
    const body = ['"use strict"', helpers, constants, ...this.#functions, `return ${expression}`].join('\n')
    try {
      // What comes from a schema was checked by the parser, and is quoted.
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a codec for each schema, as fast as if written by hand
      return (new Function('runtime', 'k', body) as (runtime: object, k: unknown[]) => unknown)(
        runtime,
        this.#constants,
      )
    } catch (error) {
      if (!(error instanceof EvalError)) throw error
      const message = 'Avro needs code generation, which --disallow-code-generation-from-strings forbids'
      throw new SchemaRegistryError('INVALID_ARGUMENT', message, { cause: error })
    }
  }
}

/** As a property of an object literal: `__proto__` would set its prototype. */
export function property(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)
}

/** A property of `object`. */
export function member(object: string, name: string): string {
  return `${object}[${JSON.stringify(name)}]`
}
