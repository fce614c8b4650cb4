import { importDirections } from './import-directions.ts'
import { exactMath, noBuiltinModules, noModuleState } from './purity.ts'

/**
 * The rules that hold this project's parts apart, for `.oxlintrc.json`. `test/lint/` plants a violation of each, so
 * that none can fall silent.
 */
export default {
  meta: { name: 'tokenfuse' },
  rules: {
    'import-directions': importDirections,
    'no-builtin-modules': noBuiltinModules,
    'no-module-state': noModuleState,
    'exact-math': exactMath,
  },
}
