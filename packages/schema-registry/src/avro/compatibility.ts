/** Whether data of one schema can be read with another, and if not, why: in the words of Avro's Java library. */
import { isPromotion, sameName, symbolsFor } from './resolution.ts'
import { typeName, type AvroType, type Field, type RecordType, type UnionType } from './types.ts'

/** One reason. */
export interface Incompatibility {
  readonly type:
    | 'NAME_MISMATCH'
    | 'FIXED_SIZE_MISMATCH'
    | 'MISSING_ENUM_SYMBOLS'
    | 'READER_FIELD_MISSING_DEFAULT_VALUE'
    | 'TYPE_MISMATCH'
    | 'MISSING_UNION_BRANCH'
  /** Where in the reader's schema, as a JSON pointer. */
  readonly path: string
  /** What the reason is about: a field, symbols, a type. */
  readonly about: string
}

/** All reasons; none if the reader can read whatever the writer may have written. */
export function incompatibilities(writer: AvroType, reader: AvroType): Incompatibility[] {
  return new Comparison().compare(writer, reader, '')
}

class Comparison {
  /** Pairs that are being compared, or were: a recursive schema is as compatible as the rest of it. */
  readonly #seen = new Map<AvroType, Set<AvroType>>()

  compare(writer: AvroType, reader: AvroType, path: string): Incompatibility[] {
    let seen = this.#seen.get(reader)
    if (seen === undefined) this.#seen.set(reader, (seen = new Set()))
    if (seen.has(writer)) return []
    // Primitive types are their own objects each time they occur.
    seen.add(writer)
    if (writer.kind === 'union') return this.#writerUnion(writer, reader, path)
    if (reader.kind === 'union') return this.#readerUnion(writer, reader, path)
    if (writer.kind !== reader.kind) {
      return isPromotion(writer, reader) ? [] : [mismatch(writer, reader, path)]
    }
    switch (reader.kind) {
      case 'array':
        return this.compare((writer as typeof reader).items, reader.items, `${path}/items`)
      case 'map':
        return this.compare((writer as typeof reader).values, reader.values, `${path}/values`)
      case 'fixed': {
        const { size } = writer as typeof reader
        if (!sameName(writer as typeof reader, reader)) return [nameMismatch(reader.name, path)]
        const about = `expected: ${size}, found: ${reader.size}`
        return size === reader.size ? [] : [{ type: 'FIXED_SIZE_MISMATCH', path: `${path}/size`, about }]
      }
      case 'enum': {
        const written = writer as typeof reader
        if (!sameName(written, reader)) return [nameMismatch(reader.name, path)]
        const readable = symbolsFor(written, reader)
        const missing = written.symbols.filter((_, i) => readable[i] === null)
        return missing.length === 0
          ? []
          : [{ type: 'MISSING_ENUM_SYMBOLS', path: `${path}/symbols`, about: `[${missing.join(', ')}]` }]
      }
      case 'record': {
        const written = writer as RecordType
        const name = sameName(written, reader) ? [] : [nameMismatch(reader.name, path)]
        return [...name, ...this.#fields(written, reader, path)]
      }
      default:
        return []
    }
  }

  #writerUnion(writer: UnionType, reader: AvroType, path: string): Incompatibility[] {
    return writer.branches.flatMap((branch, i) => {
      const found = this.#alone(branch, reader, path)
      if (found.length === 0) return []
      const place = reader.kind === 'union' ? `${path}/${i}` : path
      return reader.kind === 'union'
        ? [{ type: 'MISSING_UNION_BRANCH' as const, path: place, about: typeName(branch) }]
        : found
    })
  }

  #readerUnion(writer: AvroType, reader: UnionType, path: string): Incompatibility[] {
    if (reader.branches.some(branch => this.#alone(writer, branch, path).length === 0)) return []
    return [{ type: 'MISSING_UNION_BRANCH', path, about: typeName(writer) }]
  }

  /** What fails here may be right in another branch, so nothing of it is remembered. */
  #alone(writer: AvroType, reader: AvroType, path: string): Incompatibility[] {
    const inner = new Comparison()
    for (const [type, seen] of this.#seen) inner.#seen.set(type, new Set(seen))
    inner.#seen.get(reader)?.delete(writer)
    return this.#seen.get(reader)?.has(writer) === true ? [] : inner.compare(writer, reader, path)
  }

  #fields(writer: RecordType, reader: RecordType, path: string): Incompatibility[] {
    return reader.fields.flatMap((field, i) => {
      const written = writtenAs(field, writer)
      const place = `${path}/fields/${i}`
      if (written !== null) return this.compare(written.type, field.type, `${place}/type`)
      return field.hasDefault
        ? []
        : [{ type: 'READER_FIELD_MISSING_DEFAULT_VALUE' as const, path: place, about: field.name }]
    })
  }
}

function writtenAs(field: Field, writer: RecordType): Field | null {
  return writer.fields.find(({ name }) => name === field.name || field.aliases.includes(name)) ?? null
}

function mismatch(writer: AvroType, reader: AvroType, path: string): Incompatibility {
  const about = `reader type: ${reader.kind.toUpperCase()} not compatible with writer type: ${writer.kind.toUpperCase()}`
  return { type: 'TYPE_MISMATCH', path: path === '' ? '/' : path, about }
}

function nameMismatch(name: string, path: string): Incompatibility {
  return { type: 'NAME_MISMATCH', path: `${path}/name`, about: `expected: ${name}` }
}
