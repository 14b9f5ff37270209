/** The statements that write a structure. */
import { differs, elementType, flexibleText, isOptional, readFallback, taggedFields, typeText } from './fields.ts'
import { intersect, isEmpty, type Field, type Message, type Struct, type Versions } from './spec.ts'
import { conditionText, outsideText, sameRange, withoutTagged } from './version-ranges.ts'

export function writeBody(message: Message, struct: Struct): string[] {
  const lines: string[] = []
  for (const field of struct.fields) {
    const range = intersect(field.versions, struct.versions)
    if (isEmpty(range)) continue
    const inBody = withoutTagged(range, field)
    const condition = conditionText(inBody, struct.versions)
    const value = isOptional(field, struct) ? orFallback(field) : `m.${field.name}`
    const write = isEmpty(inBody) ? [] : [...refuseNull(field, struct, inBody), ...writeValue(field, value, inBody)]
    const lost = sameRange(range, struct.versions) || field.ignorable ? null : refuse(field, struct, range)
    if (condition === null) lines.push(...indent(write, 1))
    else if (write.length > 0) {
      lines.push(`  if (${condition}) {`, ...indent(write, 2), '  }')
    }
    if (lost !== null) lines.push(lost)
  }
  lines.push(...writeTags(message, struct))
  return lines
}

// What is written for a field that may be left out. Null is a value of its own where it is allowed.
function orFallback(field: Field): string {
  const { name } = field
  const canBeNull = !isEmpty(field.nullable) && readFallback(field) !== 'null'
  return canBeNull
    ? `(m.${name} === undefined ? ${readFallback(field)} : m.${name})`
    : `(m.${name} ?? ${readFallback(field)})`
}

function refuse(field: Field, struct: Struct, range: Versions): string {
  const outside = outsideText(range, struct.versions)
  return `  if (${outside} && ${differs(field, `m.${field.name}`)}) throw unset('${struct.name}.${field.name}', v)`
}

// Null is allowed from some version on; before that it would be read as something else.
function refuseNull(field: Field, struct: Struct, inBody: Versions): string[] {
  const nullable = intersect(field.nullable, inBody)
  if (isEmpty(nullable) || sameRange(nullable, inBody)) return []
  const { name } = field
  return [`if (${outsideText(nullable, inBody)} && m.${name} === null) throw notNull('${struct.name}.${name}', v)`]
}

function writeValue(field: Field, value: string, range: Versions): string[] {
  const nullable = intersect(field.nullable, range)
  const canBeNull = !isEmpty(nullable)
  if (field.isArray) {
    const list = `const list = ${value}`
    const loop = [
      'w.arrayLength(list.length, f)',
      `for (let i = 0; i < list.length; i++) ${writeElement(field, `(list[i] as ${elementType(field)})`)}`,
    ]
    if (!canBeNull && isEmpty(field.nullable)) return ['{', ...indent([list, ...loop], 1), '}']
    return ['{', ...indent([list, 'if (list === null) w.nullArray(f)', 'else {', ...indent(loop, 1), '}'], 1), '}']
  }
  if (field.type.kind === 'struct') {
    if (isEmpty(field.nullable)) return [`write${field.type.name}(w, ${value}, v)`]
    return [
      '{',
      `  const inner = ${value}`,
      '  if (inner === null) w.int8(-1)',
      '  else {',
      '    w.int8(1)',
      `    write${field.type.name}(w, inner, v)`,
      '  }',
      '}',
    ]
  }
  return [writePrimitive(field, value)]
}

function writeElement(field: Field, value: string): string {
  if (field.type.kind === 'struct') return `write${field.type.name}(w, ${value}, v)`
  return writePrimitive({ ...field, nullable: { from: 1, to: 0 } }, value)
}

function writePrimitive(field: Field, value: string): string {
  if (field.type.kind !== 'primitive') throw new Error(`${field.name} is no primitive`)
  const { name } = field.type
  const nullable = !isEmpty(field.nullable)
  if (name === 'string') return nullable ? `w.nullableString(${value}, f)` : `w.string(${value}, f)`
  if (name === 'bytes') return nullable ? `w.nullableBytes(${value}, f)` : `w.bytes(${value}, f)`
  if (name === 'records') return `w.records(${value}, f)`
  return `w.${name}(${value})`
}

function writeTags(message: Message, struct: Struct): string[] {
  const flexible = flexibleText(message, struct.versions)
  if (flexible === 'false') return []
  const fields = taggedFields(struct)
  const lines: string[] = []
  const pad = flexible === 'v' ? '    ' : '  '
  if (fields.length === 0) lines.push(`${pad}w.uvarint(0)`)
  else {
    lines.push(`${pad}let tags = 0`)
    fields.forEach((field, i) => {
      const within = conditionText(
        intersect(field.tagged, struct.versions),
        intersect(message.flexible, struct.versions),
      )
      const condition = `${within === null ? '' : `${within} && `}${differs(field, `m.${field.name}`)}`
      lines.push(`${pad}const has${i} = ${condition}`, `${pad}if (has${i}) tags++`)
    })
    lines.push(`${pad}w.uvarint(tags)`)
    fields.forEach((field, i) => {
      const value = `(m.${field.name} as ${typeText(field)})`
      const body = writeValue(field, value, intersect(field.tagged, struct.versions))
      const inner = body.map(line => line.replace(/\bw\b(?=[.,)])/g, 't'))
      lines.push(
        `${pad}if (has${i}) {`,
        `${pad}  const t = new Writer(64)`,
        ...inner.map(line => `${pad}  ${line}`),
        `${pad}  w.tag(${field.tag}, t)`,
        `${pad}}`,
      )
    })
  }
  return flexible === 'v' ? ['  if (f) {', ...lines, '  }'] : lines
}

function indent(lines: readonly string[], depth: number): string[] {
  return lines.map(line => '  '.repeat(depth) + line)
}
