/** Options as `.proto` text. */
import type { ProtoConstant, ProtoOption } from './types.ts'

export function constantText(value: ProtoConstant): string {
  switch (value.is) {
    case 'text':
      return quoted(value.value)
    case 'word':
      return value.value
    case 'list':
      return `[${value.items.map(constantText).join(', ')}]`
    case 'message':
      return `{ ${value.fields.map(field => `${field.name}: ${constantText(field.value)}`).join(', ')} }`
    default:
      return value satisfies never
  }
}

export function optionText({ name, value }: ProtoOption): string {
  return `${name} = ${constantText(value)}`
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

export function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"\u0000-\u001f]/g, each => escapes[each] ?? `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
