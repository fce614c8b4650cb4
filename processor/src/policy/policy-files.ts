import { type Policy, PolicyError, type PolicyProblem, type Rule } from '@tokenfuse/protocol'
import { readPolicyFile } from './policy-file.ts'
import { readRulesFile } from './rules-file.ts'

export type PolicyPaths = { readonly policyPath: string; readonly rulesPath: string }

/** What the two files say. */
export type PolicyFiles = {
  /** `null` where there is no policy file. */
  readonly policy: Policy | null
  /** `null` where there is no rules file. */
  readonly rules: readonly Rule[] | null
}

/**
 * Reads the policy file and the rules file.
 * @param required which of them must be there
 * @throws PolicyError with every problem of both; TokenfuseError `policy_unreadable`
 */
export function readPolicyFiles(
  { policyPath, rulesPath }: PolicyPaths,
  required: { readonly policy: boolean; readonly rules: boolean },
): PolicyFiles {
  const problems: PolicyProblem[] = []
  const collected = <Value>(read: () => Value): Value | null => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      problems.push(...error.problems)
      return null
    }
  }
  const policy = collected(() => readPolicyFile(policyPath, required.policy))
  const rules = collected(() => readRulesFile(rulesPath, required.rules))
  if (problems.length > 0) throw new PolicyError(problems)
  return { policy, rules }
}
