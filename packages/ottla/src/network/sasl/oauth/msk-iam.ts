/** Tokens for Amazon MSK with IAM, by means of AWS's own library. */
import { loadPackage } from '../../../base/load-package.ts'
import { invalidArgument } from '../../../errors.ts'
import type { OAuthBearerTokenFunction } from './token.ts'

/** The part of the package `aws-msk-iam-sasl-signer-js` that is used. */
export interface MskIamSigner {
  generateAuthToken(options: {
    readonly region: string
  }): Promise<{ readonly token: string; readonly expiryTime: number }>
}

/**
 * A token function for Amazon MSK with IAM: `new Producer(config, { oauthBearerToken: mskIamTokens({ region }) })`.
 * Uses the credentials that the AWS SDK finds. Needs the package `aws-msk-iam-sasl-signer-js`.
 * @param signer - that package, if it cannot be loaded by its name
 * @throws KafkaError ERR__INVALID_ARG without the package
 * @since 0.1.0
 */
export function mskIamTokens(
  { region }: { readonly region: string },
  signer: MskIamSigner = loadSigner(),
): OAuthBearerTokenFunction {
  return async () => {
    const { token, expiryTime } = await signer.generateAuthToken({ region })
    // Brokers take the principal from the signature; this name is for the client only.
    return { tokenValue: token, expiration: expiryTime, principal: 'aws-iam' }
  }
}

function loadSigner(): MskIamSigner {
  try {
    return loadPackage('aws-msk-iam-sasl-signer-js') as MskIamSigner // what the package exports
  } catch (cause) {
    const why = 'tokens for Amazon MSK need a package: `npm install aws-msk-iam-sasl-signer-js`'
    throw invalidArgument(why, cause)
  }
}
