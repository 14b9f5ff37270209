/** Refusals, by Confluent's codes and in its words. */

export class Refusal extends Error {
  readonly status: number
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
    this.status = errorCode > 999 ? Math.floor(errorCode / 100) : errorCode
  }
}

export const refusals = {
  noSubject: (subject: string) => new Refusal(40401, `Subject '${subject}' not found.`),
  noVersion: (version: number | string) => new Refusal(40402, `Version ${version} not found.`),
  noSchema: () => new Refusal(40403, 'Schema not found'),
  noSchemaWithId: (id: number | string) => new Refusal(40403, `Schema ${id} not found`),
  subjectIsDeleted: (subject: string) =>
    new Refusal(40404, `Subject '${subject}' was soft deleted.Set permanent=true to delete permanently`),
  subjectIsNotDeleted: (subject: string) =>
    new Refusal(40405, `Subject '${subject}' was not deleted first before being permanently deleted`),
  versionIsDeleted: (subject: string, version: number) =>
    new Refusal(
      40406,
      `Subject '${subject}' Version ${version} was soft deleted.Set permanent=true to delete permanently`,
    ),
  versionIsNotDeleted: (subject: string, version: number) =>
    new Refusal(
      40407,
      `Subject '${subject}' Version ${version} was not deleted first before being permanently deleted`,
    ),
  noConfig: (subject: string) =>
    new Refusal(40408, `Subject '${subject}' does not have subject-level compatibility configured`),
  noMode: (subject: string) => new Refusal(40409, `Subject '${subject}' does not have subject-level mode configured`),
  invalidSchema: (why: string) => new Refusal(42201, `Invalid schema: ${why}`),
  invalidVersion: (version: string) =>
    new Refusal(
      42202,
      `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
    ),
  invalidLevel: () =>
    new Refusal(
      42203,
      'Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive',
    ),
  invalidMode: () =>
    new Refusal(42204, 'Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT'),
  notPermitted: (why: string) => new Refusal(42205, why),
  isReferenced: (subject: string, version: number) =>
    new Refusal(
      42206,
      `One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=${subject},version=${version}}.`,
    ),
  incompatible: (subject: string, messages: readonly string[]) =>
    new Refusal(
      409,
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${messages.join(', ')}]`,
    ),
}
