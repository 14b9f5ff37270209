/** A suite of somebody else's, which is run against the embedded cluster and against Kafka. */

/** What suites are run on. */
export type Ground = 'embedded' | 'kafka'

/** What a suite expects of the cluster. */
export interface Surroundings {
  readonly brokers: 1 | 3
  /** Whose tests look for a broker on this port of localhost, whatever they are told. */
  readonly port?: number
  /** Kafka's own keys, besides those of the harness. */
  readonly config?: Readonly<Record<string, string>>
}

export type Outcome = 'passed' | 'failed' | 'skipped'

/** By the test's full name. */
export type Outcomes = ReadonlyMap<string, Outcome>

export interface ForeignSuite {
  readonly name: string
  /** Of the client whose suite it is. */
  readonly version: string
  /** Where its source is had from. */
  readonly source: string
  readonly surroundings: Surroundings
  /** Why a test that does not pass on the embedded cluster is none of its faults, by the beginning of the test's name. */
  readonly reasons: Readonly<Record<string, string>>
  /** @param bootstrapServers `host:port`, as many as there are brokers */
  run(bootstrapServers: string, log: (line: string) => void): Promise<Outcomes>
}
