import { dirname, join, resolve } from 'node:path'
import type { BacktestPolicy } from '@tokenfuse/processor'

/**
 * A policy and its rules from their files: those named, or `budget-alerts.yaml` beside the policy, or those shipped.
 * @throws PolicyError with every problem of both
 */
export async function readBacktestPolicy(
  policyFile: string,
  rulesFile: string | undefined,
): Promise<BacktestPolicy> {
  const { defaultRules, readPolicyFiles, RULES_FILE } = await import('@tokenfuse/processor')
  const policyPath = resolve(policyFile)
  const rulesPath = resolve(rulesFile ?? join(dirname(policyPath), RULES_FILE))
  const { policy, rules } = readPolicyFiles(
    { policyPath, rulesPath },
    { policy: true, rules: rulesFile !== undefined },
  )
  if (policy === null) throw new Error(`there is no policy file ${policyPath}`)
  return { name: policyFile, policy, rules: rules ?? defaultRules() }
}
