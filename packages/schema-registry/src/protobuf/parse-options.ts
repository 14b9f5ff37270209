/** Options of `.proto` files, and the ends of statements. */
import type { Tokens } from './tokens.ts'
import type { ProtoConstant, ProtoOption } from './types.ts'

/** A constant in a constant in a constant. */
const MAX_DEPTH = 64

export function endOf(tokens: Tokens): void {
  tokens.expect(';')
}

/** Takes empty statements, and the end of a body; true if it has been one. */
export function isDone(tokens: Tokens): boolean {
  while (tokens.takes(';'));
  return tokens.takes('}')
}

export function optionStatement(tokens: Tokens): ProtoOption {
  tokens.expect('option')
  return optionAfter(tokens)
}

/** Behind the word `option`. */
export function optionAfter(tokens: Tokens): ProtoOption {
  const option = optionIn(tokens)
  endOf(tokens)
  return option
}

/** `[deprecated = true, (my.option).part = 3]`, if there is one. */
export function optionList(tokens: Tokens): ProtoOption[] {
  if (!tokens.takes('[')) return []
  const options: ProtoOption[] = []
  while (!tokens.takes(']')) {
    options.push(optionIn(tokens))
    if (!tokens.takes(',') && tokens.peek().value !== ']') throw tokens.unexpected("']'")
  }
  return options
}

function optionIn(tokens: Tokens): ProtoOption {
  let name = optionPart(tokens)
  for (;;) {
    const { is, value } = tokens.peek()
    // A word may have its dot in front: `(my.option).part`.
    if (is === 'word' && value.startsWith('.')) name += tokens.take().value
    else if (tokens.takes('.')) name += `.${optionPart(tokens)}`
    else break
  }
  tokens.expect('=')
  return { name, value: constantIn(tokens, 1) }
}

function optionPart(tokens: Tokens): string {
  if (!tokens.takes('(')) return tokens.name('the name of an option', true)
  const name = tokens.name('the name of an option', true)
  tokens.expect(')')
  return `(${name})`
}

function constantIn(tokens: Tokens, depth: number): ProtoConstant {
  if (depth > MAX_DEPTH) throw tokens.error(`options are nested more than ${MAX_DEPTH} deep`)
  if (tokens.peek().is === 'text') return { is: 'text', value: tokens.text('text') }
  if (tokens.takes('{')) return messageIn(tokens, '}', depth)
  if (tokens.takes('<')) return messageIn(tokens, '>', depth)
  if (tokens.takes('[')) {
    const items: ProtoConstant[] = []
    while (!tokens.takes(']')) {
      items.push(constantIn(tokens, depth + 1))
      tokens.takes(',')
    }
    return { is: 'list', items }
  }
  const sign = tokens.takes('-') ? '-' : tokens.takes('+') ? '' : null
  const next = tokens.peek()
  if (next.is !== 'number' && next.is !== 'word') throw tokens.unexpected('a value')
  return { is: 'word', value: `${sign ?? ''}${tokens.take().value}` }
}

function messageIn(tokens: Tokens, end: string, depth: number): ProtoConstant {
  const fields: { name: string; value: ProtoConstant }[] = []
  while (!tokens.takes(end)) {
    const name = tokens.takes('[') ? extensionName(tokens) : tokens.name('a field')
    tokens.takes(':')
    fields.push({ name, value: constantIn(tokens, depth + 1) })
    if (!tokens.takes(',')) tokens.takes(';')
  }
  return { is: 'message', fields }
}

/** `[my.extension]`, or the URL of a type. */
function extensionName(tokens: Tokens): string {
  let name = tokens.name('the name of an extension', true)
  while (tokens.takes('/')) name += `/${tokens.name('the name of an extension', true)}`
  tokens.expect(']')
  return `[${name}]`
}
