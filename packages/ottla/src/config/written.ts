/** How values may be written in a configuration. */

/** One of these words, in lower or upper case. */
export type AnyOf<T extends string> = T | Uppercase<T>

/** Any text; editors offer these words. */
export type Known<T extends string> = T | (string & Record<never, never>)
