/** The options that descriptors have fields for, by what they are options of. */

export interface KnownOption {
  readonly number: number
  readonly is: 'bool' | 'text' | 'number' | 'features'
  /** Of an enum the names of its numbers. */
  readonly names?: Readonly<Record<string, number>>
}

const bool = (number: number): KnownOption => ({ number, is: 'bool' })
const text = (number: number): KnownOption => ({ number, is: 'text' })
const named = (number: number, ...names: string[]): KnownOption => ({
  number,
  is: 'number',
  names: Object.fromEntries(names.map((name, i) => [name, i])),
})
const features = (number: number): KnownOption => ({ number, is: 'features' })

export type OptionTable = Readonly<Record<string, KnownOption>>

export const fileOptions: OptionTable = {
  java_package: text(1),
  java_outer_classname: text(8),
  optimize_for: named(9, '', 'SPEED', 'CODE_SIZE', 'LITE_RUNTIME'),
  java_multiple_files: bool(10),
  go_package: text(11),
  cc_generic_services: bool(16),
  java_generic_services: bool(17),
  py_generic_services: bool(18),
  java_generate_equals_and_hash: bool(20),
  deprecated: bool(23),
  java_string_check_utf8: bool(27),
  cc_enable_arenas: bool(31),
  objc_class_prefix: text(36),
  csharp_namespace: text(37),
  swift_prefix: text(39),
  php_class_prefix: text(40),
  php_namespace: text(41),
  php_metadata_namespace: text(44),
  ruby_package: text(45),
  features: features(50),
}

export const messageOptions: OptionTable = {
  message_set_wire_format: bool(1),
  no_standard_descriptor_accessor: bool(2),
  deprecated: bool(3),
  map_entry: bool(7),
  features: features(12),
}

export const fieldOptions: OptionTable = {
  ctype: named(1, 'STRING', 'CORD', 'STRING_PIECE'),
  packed: bool(2),
  deprecated: bool(3),
  lazy: bool(5),
  jstype: named(6, 'JS_NORMAL', 'JS_STRING', 'JS_NUMBER'),
  weak: bool(10),
  unverified_lazy: bool(15),
  debug_redact: bool(16),
  features: features(21),
}

export const enumOptions: OptionTable = { allow_alias: bool(2), deprecated: bool(3), features: features(7) }
export const enumValueOptions: OptionTable = { deprecated: bool(1), features: features(2), debug_redact: bool(3) }
export const oneofOptions: OptionTable = { features: features(1) }
export const serviceOptions: OptionTable = { deprecated: bool(33), features: features(34) }
export const methodOptions: OptionTable = {
  deprecated: bool(33),
  idempotency_level: named(34, 'IDEMPOTENCY_UNKNOWN', 'NO_SIDE_EFFECTS', 'IDEMPOTENT'),
  features: features(35),
}

export const featureOptions: OptionTable = {
  field_presence: named(1, 'FIELD_PRESENCE_UNKNOWN', 'EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'),
  enum_type: named(2, 'ENUM_TYPE_UNKNOWN', 'OPEN', 'CLOSED'),
  repeated_field_encoding: named(3, 'REPEATED_FIELD_ENCODING_UNKNOWN', 'PACKED', 'EXPANDED'),
  utf8_validation: { number: 4, is: 'number', names: { UTF8_VALIDATION_UNKNOWN: 0, VERIFY: 2, NONE: 3 } },
  message_encoding: named(5, 'MESSAGE_ENCODING_UNKNOWN', 'LENGTH_PREFIXED', 'DELIMITED'),
  json_format: named(6, 'JSON_FORMAT_UNKNOWN', 'ALLOW', 'LEGACY_BEST_EFFORT'),
}

/** Options of the application's own, which only the files that declare them explain. */
export const UNINTERPRETED = 999
