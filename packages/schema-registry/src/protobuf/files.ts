/** A `.proto` file with those that it imports. */
import { invalidSchema } from '../errors.ts'
import { ProtoNames } from './names.ts'
import { parseProto } from './parse.ts'
import { readDescriptor } from './read-descriptor.ts'
import type { ProtoFile } from './types.ts'
import { wellKnownFile } from './well-known.ts'
import { writeDescriptor } from './write-descriptor.ts'

/** A schema that is imported, by the path of the import. */
export interface ImportedText {
  readonly name: string
  readonly schema: string
}

/** What is written in base64 and not as text. */
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** A schema as registries take it: `.proto` text, or a descriptor in base64. @throws SchemaRegistryError */
export function readProto(schema: string): ProtoFile {
  const text = schema.trim()
  if (text.length < 4 || !base64.test(text)) return parseProto(schema)
  return readDescriptor(Buffer.from(text, 'base64')).file
}

/** All files that a schema needs, by path; its own by `path`. @throws SchemaRegistryError INVALID_SCHEMA if one is missing */
export function withImports(path: string, schema: string, imported: readonly ImportedText[]): Map<string, ProtoFile> {
  const texts = new Map(imported.map(({ name, schema: text }) => [name, text]))
  const files = new Map<string, ProtoFile>()
  const visit = (name: string, file: ProtoFile): void => {
    if (files.has(name)) return
    files.set(name, file)
    for (const each of file.imports) visit(each.path, fileAt(each.path, name))
  }
  const fileAt = (name: string, by: string): ProtoFile => {
    const text = texts.get(name)
    const file = text === undefined ? wellKnownFile(name) : readProto(text)
    if (file === undefined) throw invalidSchema(`${by} imports ${name}, which its references do not have`)
    return file
  }
  visit(path, readProto(schema))
  return files
}

/** The descriptors of files. */
export function descriptorsOf(files: ReadonlyMap<string, ProtoFile>): Map<string, Buffer> {
  const names = new ProtoNames(files.values())
  return new Map([...files].map(([path, file]) => [path, writeDescriptor(path, file, names)]))
}
