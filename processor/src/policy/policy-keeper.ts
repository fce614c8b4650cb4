import { basename } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type Budget,
  DEFAULT_TENANT,
  EMPTY_POLICY,
  parsePolicy,
  type Policy,
  type PolicySet,
  type Rule,
  TokenfuseError,
  zoneAround,
} from '@tokenfuse/protocol'
import type { GovernorLoop } from '../governor-loop.ts'
import { policyFileText, type Watch, watchPolicyFile, writePolicyFile } from './policy-file.ts'
import { type PolicyFiles, type PolicyPaths, readPolicyFiles } from './policy-files.ts'
import { defaultRules } from './rules-file.ts'
import { withoutRunBudgets, withRunBudget, withRunBudgetsOf } from './run-budgets.ts'

const RETRY_MS = 5000

export type PolicyKeeperOptions = {
  readonly paths: PolicyPaths
  readonly loop: GovernorLoop
  readonly log: (line: string) => void
  /** Told where people are to be told, as the policy file says it; `null` for nowhere. */
  readonly onWebhook: (url: string | null) => void
  readonly now?: () => number
}

/**
 * Brings the policy file and the rules file into force at the start and whenever one of them changes. A bad edit never
 * replaces a good policy.
 */
export class PolicyKeeper {
  readonly #options: PolicyKeeperOptions
  #problem: string | null = null
  /** Of the rules file as it was read last. */
  #rules: readonly Rule[] | null = null
  #watches: Watch[] = []
  #retry: NodeJS.Timeout | null = null
  #applying: Promise<void> = Promise.resolve()

  constructor(options: PolicyKeeperOptions) {
    this.#options = options
  }

  /** Why the files are not what is in force, for people; `null` where they are. */
  get problem(): string | null {
    return this.#problem
  }

  /**
   * Appends policy and rules to the log if they differ from those in force.
   * @param files what they say; where there is no policy file, the policy in force stays
   */
  async apply({ policy: withNotify, rules: written }: PolicyFiles): Promise<void> {
    const { loop, paths, log } = this.#options
    const { policyPath } = paths
    this.#rules = written
    // The address may be a secret, so it goes into no log.
    const { notify, policy } = withoutNotify(withNotify)
    if (withNotify) this.#options.onWebhook(notify?.webhook ?? null)
    const inForce = loop.governor.policy()
    this.#problem = null
    if (policy === null) {
      // Where nobody ever wrote one, none is missing.
      const isMissing = inForce !== null && !isSame(withoutRunBudgets(inForce.policy), EMPTY_POLICY)
      if (isMissing) {
        this.#problem = `${policyPath} is missing; policy ${inForce.version} stays in force`
        log(`${this.#problem}. Write "version: 1" there to have none.`)
      } else if (written === null && isSame(loop.governor.rules(), [])) return
    }
    const rules = written ?? defaultRules()
    const wanted = policy
      ? withRunBudgetsOf(inForce?.policy, policy)
      : (inForce?.policy ?? EMPTY_POLICY)
    if (inForce && isSame(inForce.policy, wanted) && isSame(loop.governor.rules(), rules)) return
    const version = await this.#bringIntoForce(wanted, rules)
    if (version !== null) {
      log(`policy ${version} of ${policyPath} is in force`)
      return
    }
    this.#problem = `${policyPath} was not taken, since another policy came into force meanwhile`
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
    const { paths, loop } = this.#options
    const { policyPath } = paths
    return this.#inTurn(async () => {
      const version = loop.governor.policy()?.version ?? 0
      if (basedOn !== null && basedOn !== version) throw outdated(basedOn, version)
      const text = change(policyFileText(policyPath))
      const policy = parsePolicy(text, basename(policyPath))
      writePolicyFile(policyPath, text)
      await this.apply({ policy, rules: this.#rules })
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
      const policy = withRunBudget(inForce?.policy, id, budget)
      const version = await this.#bringIntoForce(policy, loop.governor.rules())
      if (version !== null) return version
      throw outdated(inForce?.version ?? 0, loop.governor.policy()?.version ?? 0)
    })
  }

  /** @returns its version; `null` where another policy came into force meanwhile */
  async #bringIntoForce(policy: Policy, rules: readonly Rule[]): Promise<number | null> {
    const { loop } = this.#options
    const basedOn = loop.governor.policy()?.version ?? null
    const [entry] = await loop.submit([this.#policySet(policy, rules, basedOn)])
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

  /** From now on every change of the files is looked at. */
  watch(): void {
    const { policyPath, rulesPath } = this.#options.paths
    this.#watches = [policyPath, rulesPath].map((path) =>
      watchPolicyFile(
        path,
        () => this.#reread(),
        (error) => this.#options.log(`changes of ${path} are not seen: ${String(error)}`),
      ),
    )
  }

  close(): void {
    for (const watch of this.#watches) watch.close()
    if (this.#retry) clearTimeout(this.#retry)
  }

  #reread(): void {
    void this.#inTurn(async () => {
      const { paths, log } = this.#options
      try {
        await this.apply(readPolicyFiles(paths, { policy: false, rules: false }))
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

  #policySet(policy: Policy, rules: readonly Rule[], basedOn: number | null): PolicySet {
    const nowMs = (this.#options.now ?? Date.now)()
    return {
      type: 'policy.set',
      v: 1,
      tenant: DEFAULT_TENANT,
      basedOn,
      policy,
      rules: [...rules],
      zone: zoneAround(policy.timezone, nowMs),
    }
  }
}

function withoutNotify(whole: Policy | null): {
  readonly notify: Policy['notify']
  readonly policy: Policy | null
} {
  if (whole === null) return { notify: undefined, policy: null }
  const { notify, ...policy } = whole
  return { notify, policy }
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
const isSame = <Value extends Policy | readonly Rule[]>(a: Value, b: Value) =>
  isDeepStrictEqual(asStored(a), asStored(b))
const asStored = (value: Policy | readonly Rule[]): unknown => JSON.parse(JSON.stringify(value))
