/** How a configuration property is declared, and the types that follow from the declaration. */

/** The clients that a property is for: all, producers, consumers. */
export type Scope = '*' | 'P' | 'C'

/** The client that a configuration is for. */
export type ConfigKind = 'producer' | 'consumer' | 'share' | 'admin'
export type Importance = 'high' | 'medium' | 'low'

/** Whether a property has an effect. */
export type Status =
  | { readonly is: 'built' }
  /** Meaningful to the C library only, or to brokers no longer supported. */
  | { readonly is: 'clib' }
  /** A function, an object or a value that is passed in another way. */
  | { readonly is: 'elsewhere'; readonly use: string }

export interface HostPort {
  readonly host: string
  readonly port: number
}

interface Common<D> {
  readonly scope: Scope
  readonly importance: Importance
  /** undefined: unset unless the application sets it. */
  readonly default: D
  /** What it does, for CONFIGURATION.md. */
  readonly doc: string
  readonly status: Status
  /** Whether librdkafka marks it deprecated. */
  readonly deprecated: boolean
  /** Its value is never shown. */
  readonly secret: boolean
  /** Words that an editor offers for a text or a list, which takes others, too. */
  readonly known: readonly string[]
}

export interface BoolProperty<D> extends Common<D> {
  readonly kind: 'bool'
}
export interface NumberProperty<D, W extends string = string> extends Common<D> {
  readonly kind: 'int' | 'float'
  readonly min: number
  readonly max: number
  /** Words that stand for numbers (`all` is -1 acks). */
  readonly words: Readonly<Record<W, number>>
}
export interface TextProperty<D> extends Common<D> {
  readonly kind: 'text'
}
export interface ChoiceProperty<T extends string, D> extends Common<D> {
  readonly kind: 'choice'
  readonly values: readonly T[]
  /** The prefix of values that are not listed; `reconcile` checks what follows it. */
  readonly prefix?: string
}
export interface ListProperty<D> extends Common<D> {
  readonly kind: 'list'
  /** Allowed words; empty allows any. */
  readonly values: readonly string[]
}
export interface ServersProperty<D> extends Common<D> {
  readonly kind: 'servers'
}
/** Not a value at all: an option of the constructor or a method takes its place. */
export interface ElsewhereProperty extends Common<undefined> {
  readonly kind: 'elsewhere'
}

export type Property =
  | BoolProperty<boolean>
  | NumberProperty<number | undefined>
  | TextProperty<string | undefined>
  | ChoiceProperty<string, string>
  | ListProperty<readonly string[]>
  | ServersProperty<readonly HostPort[]>
  | ElsewhereProperty

/** What a property resolves to. */
export type ValueOf<P> =
  P extends BoolProperty<boolean>
    ? boolean
    : P extends NumberProperty<infer D, infer _W>
      ? D extends undefined
        ? number | undefined
        : number
      : P extends ChoiceProperty<infer T, string>
        ? T
        : P extends ListProperty<readonly string[]>
          ? readonly string[]
          : P extends ServersProperty<readonly HostPort[]>
            ? readonly HostPort[]
            : P extends TextProperty<infer D>
              ? D extends string
                ? string
                : string | undefined
              : undefined

interface Extra {
  readonly importance?: Importance
  readonly status?: Status
  readonly deprecated?: boolean
  readonly secret?: boolean
  readonly known?: readonly string[]
}

export const clib: Status = { is: 'clib' }
const built: Status = { is: 'built' }

function common<D>(scope: Scope, fallback: D, doc: string, extra: Extra): Common<D> {
  return {
    scope,
    default: fallback,
    doc,
    importance: extra.importance ?? 'low',
    status: extra.status ?? built,
    deprecated: extra.deprecated ?? false,
    secret: extra.secret ?? false,
    known: extra.known ?? [],
  }
}

export function bool(scope: Scope, fallback: boolean, doc: string, extra: Extra = {}): BoolProperty<boolean> {
  return { kind: 'bool', ...common(scope, fallback, doc, extra) }
}

export function int(
  scope: Scope,
  [min, max]: readonly [number, number],
  fallback: number,
  doc: string,
  extra: Extra = {},
): NumberProperty<number, never> {
  return { kind: 'int', min, max, words: {}, ...common(scope, fallback, doc, extra) }
}

export function float(
  scope: Scope,
  [min, max]: readonly [number, number],
  fallback: number,
  doc: string,
  extra: Extra = {},
): NumberProperty<number, never> {
  return { kind: 'float', min, max, words: {}, ...common(scope, fallback, doc, extra) }
}

/** A number with words for some of its values. */
export function wordyInt<W extends string>(
  scope: Scope,
  [min, max]: readonly [number, number],
  words: Readonly<Record<W, number>>,
  fallback: number,
  doc: string,
  extra: Extra = {},
): NumberProperty<number, W> {
  return { kind: 'int', min, max, words, ...common(scope, fallback, doc, extra) }
}

/** A text that is unset unless the application sets it. */
export function text(scope: Scope, doc: string, extra: Extra = {}): TextProperty<string | undefined> {
  return { kind: 'text', ...common<string | undefined>(scope, undefined, doc, extra) }
}

export function textOr(scope: Scope, fallback: string, doc: string, extra: Extra = {}): TextProperty<string> {
  return { kind: 'text', ...common(scope, fallback, doc, extra) }
}

export function secret(scope: Scope, doc: string, extra: Extra = {}): TextProperty<string | undefined> {
  return text(scope, doc, { ...extra, secret: true })
}

export function choice<const T extends string>(
  scope: Scope,
  values: readonly T[],
  fallback: NoInfer<T>,
  doc: string,
  extra: Extra = {},
): ChoiceProperty<T, T> {
  return { kind: 'choice', values, ...common(scope, fallback, doc, extra) }
}

/** One of several words, or a prefix followed by something. */
export function choiceOr<const T extends string, const P extends string>(
  scope: Scope,
  values: readonly T[],
  prefix: P,
  fallback: NoInfer<T>,
  doc: string,
  extra: Extra = {},
): ChoiceProperty<T | `${P}${string}`, T> {
  return { kind: 'choice', values, prefix, ...common(scope, fallback, doc, extra) }
}

export function list(
  scope: Scope,
  values: readonly string[],
  fallback: readonly string[],
  doc: string,
  extra: Extra = {},
): ListProperty<readonly string[]> {
  return { kind: 'list', values, ...common(scope, fallback, doc, extra) }
}

export function servers(scope: Scope, doc: string, extra: Extra = {}): ServersProperty<readonly HostPort[]> {
  return { kind: 'servers', ...common<readonly HostPort[]>(scope, [], doc, extra) }
}

/** @param use the option or method that takes its place */
export function elsewhere(scope: Scope, use: string, doc: string): ElsewhereProperty {
  return { kind: 'elsewhere', ...common(scope, undefined, doc, { status: { is: 'elsewhere', use } }) }
}

/** The choices as errors and documents show them. */
export function choices({ values, prefix }: ChoiceProperty<string, string>): string[] {
  return prefix === undefined ? [...values] : [...values, `${prefix}…`]
}
