/** Subjects with their contexts: `:.staging:orders-value` is `orders-value` of the context `.staging`. */

export const DEFAULT_CONTEXT = '.'

/** The context of a subject. */
export function contextOf(subject: string): string {
  return /^:(\.[^:]*):/.exec(subject)?.[1] ?? DEFAULT_CONTEXT
}

/** What the settings of a subject's context are kept under; those of the default one are the registry's. */
export function contextSubject(subject: string): string | null {
  const context = contextOf(subject)
  return context === DEFAULT_CONTEXT ? null : `:${context}:`
}

/** Without the default context's name, which is none. */
export function subjectName(given: string): string {
  return given.startsWith(':.:') ? given.slice(3) : given
}

/** Whether a subject begins with a prefix; `:*:` stands for any context. */
export function hasPrefix(subject: string, prefix: string): boolean {
  if (!prefix.startsWith(':*:')) return subject.startsWith(prefix)
  return subject.replace(/^:\.[^:]*:/, '').startsWith(prefix.slice(3))
}
