/** Writes `.proto` files: one text for all files that say the same, but for the order of what they declare. */
import { optionText, quoted } from './print-options.ts'
import {
  MAX_ENUM,
  MAX_FIELD,
  messagesOf,
  type ProtoEnum,
  type ProtoExtend,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoOption,
  type ProtoRange,
  type ProtoService,
  type ProtoType,
} from './types.ts'

export function printProto(file: ProtoFile): string {
  const { syntax, edition, imports, options, types, services } = file
  const head = syntax === 'editions' ? `edition = ${quoted(edition ?? '')};` : `syntax = ${quoted(syntax)};`
  const blocks = [
    [head, ...(file.package === '' ? [] : [`package ${file.package};`])],
    imports.map(({ path, kind }) => `import ${kind === null ? '' : `${kind} `}${quoted(path)};`),
    optionLines(options),
    ...inOrder(types).map(typeLines),
    ...file.extends.map(extendLines),
    ...services.map(serviceLines),
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

/** Messages first, as descriptors have them. */
function inOrder(types: readonly ProtoType[]): ProtoType[] {
  return [...messagesOf(types), ...types.filter(({ kind }) => kind === 'enum')]
}

function typeLines(type: ProtoType): string[] {
  return type.kind === 'message' ? messageLines(type) : enumLines(type)
}

function messageLines(message: ProtoMessage): string[] {
  const groups = new Set(message.fields.filter(({ isGroup }) => isGroup).map(({ type }) => type))
  const bodyOf = (field: ProtoField): ProtoMessage | undefined =>
    field.isGroup ? message.types.find((type): type is ProtoMessage => type.name === field.type) : undefined
  const oneofs = message.oneofs.map(({ name, options }) => [
    `oneof ${name} {`,
    ...indented([
      ...optionLines(options),
      ...message.fields.filter(({ oneof }) => oneof === name).flatMap(field => fieldLines(field, bodyOf(field))),
    ]),
    '}',
  ])
  return block(`message ${message.name}`, [
    ...optionLines(message.options),
    ...reservedLines(message.reservedRanges, message.reservedNames, MAX_FIELD),
    ...message.extensionRanges.map(range => `extensions ${rangeText(range, MAX_FIELD)};`),
    ...message.fields.filter(({ oneof }) => oneof === null).flatMap(field => fieldLines(field, bodyOf(field))),
    ...oneofs.flat(),
    ...inOrder(message.types)
      .filter(({ name }) => !groups.has(name))
      .flatMap(typeLines),
    ...message.extends.flatMap(extendLines),
  ])
}

function fieldLines(field: ProtoField, group: ProtoMessage | undefined): string[] {
  const { name, number, label, type, key, options } = field
  const tail = `${number}${options.length === 0 ? '' : ` [${options.map(optionText).join(', ')}]`}`
  const begin = label === null ? '' : `${label} `
  if (group !== undefined) {
    const [, ...body] = messageLines(group)
    return [`${begin}group ${type} = ${tail} {`, ...(body.length === 0 ? ['}'] : body)]
  }
  return [`${begin}${key === null ? type : `map<${key}, ${type}>`} ${name} = ${tail};`]
}

function enumLines({ name, options, reservedRanges, reservedNames, values }: ProtoEnum): string[] {
  return block(`enum ${name}`, [
    ...optionLines(options),
    ...reservedLines(reservedRanges, reservedNames, MAX_ENUM),
    ...values.map(value => {
      const set = value.options.length === 0 ? '' : ` [${value.options.map(optionText).join(', ')}]`
      return `${value.name} = ${value.number}${set};`
    }),
  ])
}

function extendLines({ extendee, fields }: ProtoExtend): string[] {
  return block(
    `extend ${extendee}`,
    fields.flatMap(field => fieldLines(field, undefined)),
  )
}

function serviceLines({ name, options, methods }: ProtoService): string[] {
  return block(`service ${name}`, [
    ...optionLines(options),
    ...methods.flatMap(method => {
      const of = (streams: boolean, type: string): string => `(${streams ? 'stream ' : ''}${type})`
      const line = `rpc ${method.name} ${of(method.streamsInput, method.input)} returns ${of(method.streamsOutput, method.output)}`
      return method.options.length === 0 ? [`${line};`] : block(line, optionLines(method.options))
    }),
  ])
}

function optionLines(options: readonly ProtoOption[]): string[] {
  return options.map(option => `option ${optionText(option)};`)
}

function reservedLines(ranges: readonly ProtoRange[], names: readonly string[], max: number): string[] {
  return [
    ...(ranges.length === 0 ? [] : [`reserved ${ranges.map(range => rangeText(range, max)).join(', ')};`]),
    ...(names.length === 0 ? [] : [`reserved ${names.map(quoted).join(', ')};`]),
  ]
}

function rangeText({ from, to }: ProtoRange, max: number): string {
  return from === to ? String(from) : `${from} to ${to === max ? 'max' : to}`
}

function block(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [`${head} {}`] : [`${head} {`, ...indented(lines), '}']
}

function indented(lines: readonly string[]): string[] {
  return lines.map(line => `  ${line}`)
}
