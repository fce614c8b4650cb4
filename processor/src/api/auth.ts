import { createHash, timingSafeEqual } from 'node:crypto'
import { TOKEN_FILE, TokenfuseError } from '@tokenfuse/protocol'

/** Checks `Authorization: Bearer TOKEN`, in a time that does not tell how much of it was right. */
export class TokenCheck {
  readonly #hash: Buffer

  constructor(token: string) {
    this.#hash = hashOf(token)
  }

  /** @throws TokenfuseError `unauthorized` */
  require(authorization: string | undefined): void {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (given !== undefined && timingSafeEqual(hashOf(given), this.#hash)) return
    throw new TokenfuseError(
      'unauthorized',
      given === undefined ? 'the request carries no token' : 'the token is wrong',
      {
        fix: `Send "authorization: Bearer TOKEN" with what stands in the file "${TOKEN_FILE}" of the data folder.`,
      },
    )
  }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest()
