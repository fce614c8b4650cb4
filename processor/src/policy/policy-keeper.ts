import { basename } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type Budget,
  DEFAULT_TENANT,
  EMPTY_POLICY,
  parsePolicy,
  type Policy,
  type PolicySet,
  TokenfuseError,
  zoneOffsets,
} from '@tokenfuse/protocol'
import type { GovernorLoop } from '../governor-loop.ts'
import {
  policyFileText,
  readPolicyFile,
  type Watch,
  watchPolicyFile,
  writePolicyFile,
} from './policy-file.ts'
import { withoutRunBudgets, withRunBudget, withRunBudgetsOf } from './run-budgets.ts'

const DAY_MS = 86_400_000
const RETRY_MS = 5000

export type PolicyKeeperOptions = {
  readonly path: string
  readonly loop: GovernorLoop
  readonly log: (line: string) => void
  readonly now?: () => number
}

/** Brings the policy file into force at the start and whenever it changes. A bad edit never replaces a good policy. */
export class PolicyKeeper {
  readonly #options: PolicyKeeperOptions
  #problem: string | null = null
  #watch: Watch | null = null
  #retry: NodeJS.Timeout | null = null
  #applying: Promise<void> = Promise.resolve()

  constructor(options: PolicyKeeperOptions) {
    this.#options = options
  }

  /** Why the file is not what is in force, for people; `null` where it is. */
  get problem(): string | null {
    return this.#problem
  }

  /**
   * Appends the policy to the log if it differs from the one in force.
   * @param policy what the file says; `null` where there is none, and then the policy in force stays
   */
  async apply(policy: Policy | null): Promise<void> {
    const { loop, path, log } = this.#options
    const inForce = loop.governor.policy()
    if (policy === null) {
      // Where nobody ever wrote one, none is missing.
      if (inForce === null || isSamePolicy(withoutRunBudgets(inForce.policy), EMPTY_POLICY)) return
      this.#problem = `${path} is missing; policy ${inForce.version} stays in force`
      log(`${this.#problem}. Write "version: 1" there to have none.`)
      return
    }
    this.#problem = null
    const wanted = withRunBudgetsOf(inForce?.policy, policy)
    if (inForce && isSamePolicy(inForce.policy, wanted)) return
    const version = await this.#bringIntoForce(wanted)
    if (version !== null) {
      log(`policy ${version} of ${path} is in force`)
      return
    }
    this.#problem = `${path} was not taken, since another policy came into force meanwhile`
    log(this.#problem)
    this.#tryAgain()
  }

  /**
   * Changes the policy file and brings the result into force.
   * @param change the file's new text from its old one
   * @param basedOn the policy version that was looked at; `null` where any will do
   * @returns the version now in force
   * @throws PolicyError where the result does not hold, `policy_outdated` where another version is in force
   */
  edit(change: (text: string) => string, basedOn: number | null): Promise<number> {
    const { path, loop } = this.#options
    return this.#inTurn(async () => {
      const version = loop.governor.policy()?.version ?? 0
      if (basedOn !== null && basedOn !== version) throw outdated(basedOn, version)
      const text = change(policyFileText(path))
      const policy = parsePolicy(text, basename(path))
      writePolicyFile(path, text)
      await this.apply(policy)
      return loop.governor.policy()?.version ?? 0
    })
  }

  /**
   * Puts a budget of a run into force, which is in no file, or with `null` takes it away.
   * @returns the version now in force
   * @throws TokenfuseError `not_found`, `bad_request`, or `policy_outdated` where another version is in force
   */
  setRunBudget(id: string, budget: Budget | null): Promise<number> {
    const { loop } = this.#options
    return this.#inTurn(async () => {
      const inForce = loop.governor.policy()
      const version = await this.#bringIntoForce(withRunBudget(inForce?.policy, id, budget))
      if (version !== null) return version
      throw outdated(inForce?.version ?? 0, loop.governor.policy()?.version ?? 0)
    })
  }

  /** @returns its version; `null` where another policy came into force meanwhile */
  async #bringIntoForce(policy: Policy): Promise<number | null> {
    const { loop } = this.#options
    const basedOn = loop.governor.policy()?.version ?? null
    const [entry] = await loop.submit([this.#policySet(policy, basedOn)])
    const version = loop.governor.policy()?.version ?? null
    return version === entry?.offset ? version : null
  }

  /** One change at a time. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#applying.then(work)
    this.#applying = done.then(
      () => {},
      () => {},
    )
    return done
  }

  /** From now on every change of the file is looked at. */
  watch(): void {
    this.#watch ??= watchPolicyFile(
      this.#options.path,
      () => this.#reread(),
      (error) => this.#options.log(`changes of the policy file are not seen: ${String(error)}`),
    )
  }

  close(): void {
    this.#watch?.close()
    if (this.#retry) clearTimeout(this.#retry)
  }

  #reread(): void {
    void this.#inTurn(async () => {
      const { path, log } = this.#options
      try {
        await this.apply(readPolicyFile(path, false))
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error)
        log(`the policy file was not taken, the one before stays in force:\n${this.#problem}`)
        if (isRetryable(error)) this.#tryAgain()
      }
    })
  }

  #tryAgain(): void {
    this.#retry = setTimeout(() => this.#reread(), RETRY_MS).unref()
  }

  #policySet(policy: Policy, basedOn: number | null): PolicySet {
    const nowMs = (this.#options.now ?? Date.now)()
    return {
      type: 'policy.set',
      v: 1,
      tenant: DEFAULT_TENANT,
      basedOn,
      policy,
      zone: zoneOffsets(policy.timezone, nowMs - 400 * DAY_MS, nowMs + 800 * DAY_MS),
    }
  }
}

function outdated(basedOn: number, version: number): TokenfuseError {
  return new TokenfuseError(
    'policy_outdated',
    `the change was made from policy version ${basedOn}, but ${version} is in force`,
    { fix: 'Read the policy again and repeat the change on what it says now.' },
  )
}

const isRetryable = (error: unknown) =>
  error instanceof Error && 'retryable' in error && error.retryable === true

/** Compared as the log holds them, where a field that is `undefined` is none. */
const isSamePolicy = (a: Policy, b: Policy) => isDeepStrictEqual(asStored(a), asStored(b))
const asStored = (policy: Policy): unknown => JSON.parse(JSON.stringify(policy))
