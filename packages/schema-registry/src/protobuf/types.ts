/** A `.proto` file as a value: what its text says, in its order, without comments. */

/** A scalar's name, `map`, or the name of a message or enum as it is written. */
export interface ProtoField {
  readonly name: string
  readonly number: number
  /** Null where nothing is written. */
  readonly label: 'optional' | 'required' | 'repeated' | null
  /** Of a map the type of its values. */
  readonly type: string
  /** Type of a map's keys; null of other fields. */
  readonly key: string | null
  readonly oneof: string | null
  /** A group of proto2, whose message is declared with it. */
  readonly isGroup: boolean
  readonly options: readonly ProtoOption[]
}

/** What an option may be set to. */
export type ProtoConstant =
  | { readonly is: 'text'; readonly value: string }
  /** An identifier, a number or a boolean, as it is written. */
  | { readonly is: 'word'; readonly value: string }
  | { readonly is: 'list'; readonly items: readonly ProtoConstant[] }
  | { readonly is: 'message'; readonly fields: readonly { readonly name: string; readonly value: ProtoConstant }[] }

export interface ProtoOption {
  /** `deprecated`, `features.field_presence`, `(my.option).part`. */
  readonly name: string
  readonly value: ProtoConstant
}

/** Both ends included. */
export interface ProtoRange {
  readonly from: number
  readonly to: number
}

export interface ProtoMessage {
  readonly kind: 'message'
  readonly name: string
  readonly fields: readonly ProtoField[]
  readonly oneofs: readonly { readonly name: string; readonly options: readonly ProtoOption[] }[]
  readonly types: readonly ProtoType[]
  readonly extends: readonly ProtoExtend[]
  readonly extensionRanges: readonly ProtoRange[]
  readonly reservedRanges: readonly ProtoRange[]
  readonly reservedNames: readonly string[]
  readonly options: readonly ProtoOption[]
}

export interface ProtoEnumValue {
  readonly name: string
  readonly number: number
  readonly options: readonly ProtoOption[]
}

export interface ProtoEnum {
  readonly kind: 'enum'
  readonly name: string
  readonly values: readonly ProtoEnumValue[]
  readonly reservedRanges: readonly ProtoRange[]
  readonly reservedNames: readonly string[]
  readonly options: readonly ProtoOption[]
}

export type ProtoType = ProtoMessage | ProtoEnum

/** `extend NAME { … }`. */
export interface ProtoExtend {
  readonly extendee: string
  readonly fields: readonly ProtoField[]
}

export interface ProtoMethod {
  readonly name: string
  readonly input: string
  readonly output: string
  readonly streamsInput: boolean
  readonly streamsOutput: boolean
  readonly options: readonly ProtoOption[]
}

export interface ProtoService {
  readonly name: string
  readonly methods: readonly ProtoMethod[]
  readonly options: readonly ProtoOption[]
}

export interface ProtoImport {
  readonly path: string
  readonly kind: 'public' | 'weak' | null
}

export interface ProtoFile {
  readonly syntax: 'proto2' | 'proto3' | 'editions'
  /** `2023`; null without editions. */
  readonly edition: string | null
  /** Empty without one. */
  readonly package: string
  readonly imports: readonly ProtoImport[]
  readonly types: readonly ProtoType[]
  readonly extends: readonly ProtoExtend[]
  readonly services: readonly ProtoService[]
  readonly options: readonly ProtoOption[]
}

/** Scalars by their number in descriptors. */
export const scalars: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
}

export const MAX_FIELD = 536_870_911
export const MAX_ENUM = 2_147_483_647

export function isScalar(type: string): boolean {
  return Object.hasOwn(scalars, type)
}

/** The value of an option, as text; undefined if it is not set. */
export function optionOf(options: readonly ProtoOption[], name: string): string | undefined {
  const value = options.find(option => option.name === name)?.value
  return value?.is === 'text' || value?.is === 'word' ? value.value : undefined
}

export function messagesOf(types: readonly ProtoType[]): ProtoMessage[] {
  return types.filter(type => type.kind === 'message')
}
