/** All mutants. */
import { accessMutants } from './access.ts'
import { caseMutants } from './cases.ts'
import { fetcherMutants } from './fetcher.ts'
import { groupMutants } from './groups.ts'
import type { Mutant } from './mutant.ts'
import { networkMutants } from './network.ts'
import { offsetMutants } from './offsets.ts'
import { producerMutants } from './producer.ts'
import { resetMutants } from './resets.ts'
import { runMutants } from './run.ts'
import { shareMutants } from './share.ts'
import { transactionMutants } from './transactions.ts'

export const mutants: readonly Mutant[] = [
  ...producerMutants,
  ...transactionMutants,
  ...fetcherMutants,
  ...offsetMutants,
  ...groupMutants,
  ...shareMutants,
  ...runMutants,
  ...networkMutants,
  ...accessMutants,
  ...resetMutants,
  ...caseMutants,
]
