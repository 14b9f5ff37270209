/** Reads `.proto` files: proto2, proto3 and editions. */
import { parseBody, parseEnum, parseExtend, type Bodies } from './parse-types.ts'
import { endOf, isDone, optionStatement } from './parse-options.ts'
import { Tokens } from './tokens.ts'
import type { ProtoFile, ProtoImport, ProtoMethod, ProtoOption, ProtoService } from './types.ts'

/** @throws SchemaRegistryError INVALID_SCHEMA with line and column */
export function parseProto(text: string): ProtoFile {
  const tokens = new Tokens(text)
  let [syntax, edition]: [ProtoFile['syntax'], string | null] = ['proto2', null]
  if (tokens.takes('syntax')) {
    syntax = syntaxIn(tokens)
  } else if (tokens.takes('edition')) {
    tokens.expect('=')
    ;[syntax, edition] = ['editions', tokens.text('an edition')]
    endOf(tokens)
  }
  let name = ''
  const imports: ProtoImport[] = []
  const services: ProtoService[] = []
  const options: ProtoOption[] = []
  const bodies: Bodies = { types: [], extends: [] }
  while (tokens.peek().is !== 'end') {
    const { value } = tokens.peek()
    switch (value) {
      case ';':
        tokens.take()
        break
      case 'package':
        tokens.take()
        name = tokens.name('the name of a package', true)
        endOf(tokens)
        break
      case 'import':
        imports.push(importIn(tokens))
        break
      case 'option':
        options.push(optionStatement(tokens))
        break
      case 'message':
        tokens.take()
        bodies.types.push(parseBody(tokens, tokens.name('the name of a message'), 1))
        break
      case 'enum':
        bodies.types.push(parseEnum(tokens))
        break
      case 'extend':
        parseExtend(tokens, bodies, 1)
        break
      case 'service':
        services.push(serviceIn(tokens))
        break
      default:
        throw tokens.unexpected("'message', 'enum', 'import', 'option' or 'service'")
    }
  }
  return { syntax, edition, package: name, imports, services, options, ...bodies }
}

function syntaxIn(tokens: Tokens): 'proto2' | 'proto3' {
  tokens.expect('=')
  const { at } = tokens.peek()
  const found = tokens.text('a syntax')
  if (found !== 'proto2' && found !== 'proto3') throw tokens.error(`'${found}' is no syntax`, at)
  endOf(tokens)
  return found
}

function importIn(tokens: Tokens): ProtoImport {
  tokens.take()
  const kind = tokens.takes('public') ? 'public' : tokens.takes('weak') ? 'weak' : null
  const path = tokens.text('a path')
  endOf(tokens)
  return { path, kind }
}

function serviceIn(tokens: Tokens): ProtoService {
  tokens.take()
  const name = tokens.name('the name of a service')
  tokens.expect('{')
  const methods: ProtoMethod[] = []
  const options: ProtoOption[] = []
  while (!isDone(tokens)) {
    if (tokens.peek().value === 'option') options.push(optionStatement(tokens))
    else methods.push(methodIn(tokens))
  }
  return { name, methods, options }
}

function methodIn(tokens: Tokens): ProtoMethod {
  tokens.expect('rpc')
  const name = tokens.name('the name of a method')
  const [input, streamsInput] = methodType(tokens)
  tokens.expect('returns')
  const [output, streamsOutput] = methodType(tokens)
  const options: ProtoOption[] = []
  if (tokens.takes('{')) while (!isDone(tokens)) options.push(optionStatement(tokens))
  else endOf(tokens)
  return { name, input, output, streamsInput, streamsOutput, options }
}

function methodType(tokens: Tokens): [type: string, streams: boolean] {
  tokens.expect('(')
  const first = tokens.name('a type', true)
  const streams = first === 'stream' && tokens.peek().value !== ')'
  const type = streams ? tokens.name('a type', true) : first
  tokens.expect(')')
  return [type, streams]
}
