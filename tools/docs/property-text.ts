/** What a property takes, and what it is if left out: for CONFIGURATION.md and for the documentation of the types. */
import { choices, type Property } from '../../packages/ottla/src/config/property.ts'

/** A range, or the words that it takes; empty for what cannot be set. */
export function rangeText(property: Property): string {
  switch (property.kind) {
    case 'bool':
      return 'true, false'
    case 'int':
    case 'float': {
      const words = Object.keys(property.words)
      return `${property.min} to ${property.max}${words.length > 0 ? `, ${words.join(', ')}` : ''}`
    }
    case 'choice':
      return choices(property).join(', ')
    case 'list':
      return property.values.length > 0 ? property.values.join(', ') : 'list'
    case 'servers':
      return 'addresses'
    case 'text':
      return property.secret ? 'text, secret' : 'text'
    case 'elsewhere':
      return ''
    default:
      return property satisfies never
  }
}

/** The default as code; empty for none. */
export function defaultText(property: Property): string {
  switch (property.kind) {
    case 'list':
      return property.default.length === 0 ? '' : `\`${property.default.join(',')}\``
    case 'servers':
    case 'elsewhere':
      return ''
    case 'bool':
    case 'int':
    case 'float':
    case 'text':
    case 'choice':
      return property.default === undefined ? '' : `\`${property.default}\``
    default:
      return property satisfies never
  }
}
