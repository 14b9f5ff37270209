/** The statements that read a structure. */
import { decodedType, elementType, flexibleText, readFallback, taggedFields } from './fields.ts'
import { intersect, isEmpty, type Field, type Message, type Struct, type Versions } from './spec.ts'
import { conditionText, sameRange, withoutTagged } from './version-ranges.ts'

export function readBody(message: Message, struct: Struct): string[] {
  const lines: string[] = []
  const tagged = new Set(taggedFields(struct))
  for (const field of struct.fields) {
    const range = intersect(field.versions, struct.versions)
    if (isEmpty(range)) {
      lines.push(`  const ${field.name} = ${readFallback(field)}`)
      continue
    }
    const inBody = withoutTagged(range, field)
    const declare = tagged.has(field) ? 'let' : 'const'
    const annotation = declare === 'let' || field.isArray ? `: ${decodedType(field)}` : ''
    if (isEmpty(inBody)) {
      lines.push(`  ${declare} ${field.name}${annotation} = ${readFallback(field)}`)
      continue
    }
    const condition = conditionText(inBody, struct.versions)
    if (field.isArray) lines.push(...readArray(field, annotation, condition, inBody))
    else {
      const read = readValue(field, inBody)
      const value = condition === null ? read : `${condition} ? ${read} : ${readFallback(field)}`
      lines.push(`  ${declare} ${field.name}${annotation} = ${value}`)
    }
  }
  lines.push(...readTags(message, struct))
  const names = struct.fields.map(field => field.name).join(', ')
  lines.push(`  return { ${names} }`)
  return lines
}

function readArray(field: Field, annotation: string, condition: string | null, range: Versions): string[] {
  const nullable = intersect(field.nullable, range)
  const element = readElement(field)
  const loop = (pad: string, target: string): string[] => [
    `${pad}for (let i = 0; i < n; i++) ${target}.push(${element})`,
  ]
  const { name } = field
  if (isEmpty(field.nullable)) {
    const lines = [`  const ${name}${annotation} = []`]
    const count = condition === null ? 'r.arrayLength(f)' : `${condition} ? r.arrayLength(f) : 0`
    lines.push(`  for (let n = ${count}; n > 0; n--) ${name}.push(${element})`)
    return lines
  }
  const fallback = readFallback(field)
  const lines = [`  let ${name}${annotation} = ${fallback === 'null' ? 'null' : '[]'}`]
  const always = sameRange(nullable, range)
  const length = always
    ? 'r.nullableArrayLength(f)'
    : `${conditionText(nullable, range) ?? 'true'} ? r.nullableArrayLength(f) : r.arrayLength(f)`
  const open = condition === null ? '  {' : `  if (${condition}) {`
  lines.push(
    open,
    `    const n = ${length}`,
    `    if (n < 0) ${name} = null`,
    '    else {',
    `      const list: Decoded<readonly ${elementType(field)}[]> = []`,
    ...loop('      ', 'list'),
    `      ${name} = list`,
    '    }',
    '  }',
  )
  return lines
}

function readElement(field: Field): string {
  if (field.type.kind === 'struct') return `read${field.type.name}(r, v)`
  return readPrimitive({ ...field, nullable: { from: 1, to: 0 } }, { from: 0, to: 0 })
}

function readValue(field: Field, range: Versions): string {
  if (field.type.kind === 'struct') {
    const read = `read${field.type.name}(r, v)`
    return isEmpty(field.nullable) ? read : `(r.int8() < 0 ? null : ${read})`
  }
  return readPrimitive(field, range)
}

function readPrimitive(field: Field, range: Versions): string {
  if (field.type.kind !== 'primitive') throw new Error(`${field.name} is no primitive`)
  const { name } = field.type
  if (name === 'records') return 'r.nullableBytes(f)'
  if (name !== 'string' && name !== 'bytes') return `r.${name}()`
  const nullable = intersect(field.nullable, range)
  const plain = name === 'string' ? 'r.string(f)' : 'r.bytes(f)'
  const orNull = name === 'string' ? 'r.nullableString(f)' : 'r.nullableBytes(f)'
  if (isEmpty(nullable)) return plain
  const condition = conditionText(nullable, range)
  return condition === null ? orNull : `(${condition} ? ${orNull} : ${plain})`
}

function readTags(message: Message, struct: Struct): string[] {
  const flexible = flexibleText(message, struct.versions)
  if (flexible === 'false') return []
  const fields = taggedFields(struct)
  const guard = flexible === 'v' ? 'if (f) ' : ''
  if (fields.length === 0) return [`  ${guard}r.skipTags()`]
  const lines = [
    `  ${guard}for (let n = r.uvarint(); n > 0; n--) {`,
    '    const tag = r.uvarint()',
    '    const end = r.tagEnd()',
    '    switch (tag) {',
  ]
  for (const field of fields) {
    const range = intersect(field.tagged, struct.versions)
    const within = conditionText(range, intersect(message.flexible, struct.versions))
    lines.push(`      case ${field.tag}:`)
    const read = field.isArray
      ? [
          `${field.name} = []`,
          `for (let k = r.${isEmpty(field.nullable) ? 'arrayLength' : 'nullableArrayLength'}(f); k > 0; k--) ${field.name}.push(${readElement(field)})`,
        ]
      : [`${field.name} = ${readValue(field, range)}`]
    if (within === null) lines.push(...read.map(line => `        ${line}`), '        r.endTag(end)')
    else
      lines.push(
        `        if (${within}) {`,
        ...read.map(line => `          ${line}`),
        '          r.endTag(end)',
        '        } else r.position = end',
      )
    lines.push('        break')
  }
  lines.push('      default:', '        r.position = end', '    }', '  }')
  return lines
}
