import { isBuiltin } from 'node:module'
import { isNode, moduleRule, type Node, type Rule } from './rule.ts'

/** No module of Node itself, under either spelling: a pure folder does no I/O and asks no machine. */
export const noBuiltinModules = moduleRule((specifier) =>
  isBuiltin(specifier)
    ? `A pure folder cannot import "${specifier}": leave that to the shell.`
    : null,
)

/** State lives in objects that a caller owns, never in a module, where two instances would share it. */
export const noModuleState: Rule = {
  create(context) {
    return {
      Program(program) {
        const statements = Array.isArray(program['body']) ? program['body'].filter(isNode) : []
        for (const statement of statements) {
          const exported = statement['declaration']
          const declaration = isNode(exported) ? exported : statement
          if (declaration.type !== 'VariableDeclaration' || declaration['kind'] === 'const')
            continue
          context.report({ node: declaration, message: 'A pure module keeps no state of its own.' })
        }
      },
    }
  },
}

/** The functions of Math that give the same bits on every machine and in every version of Node. */
const EXACT_MATH = new Set(
  // `imul` is arithmetic of whole numbers.
  ['sqrt', 'floor', 'ceil', 'round', 'min', 'max', 'abs', 'trunc', 'imul'],
)
const INEXACT = 'may differ between versions of Node, and so would the state computed from it.'

export const exactMath: Rule = {
  create(context) {
    return {
      Identifier(node) {
        if (node['name'] !== 'Math') return
        const name = memberName(node)
        if (name !== null && EXACT_MATH.has(name)) return
        context.report({ node, message: `Math.${name ?? '…'} ${INEXACT}` })
      },
      BinaryExpression(node) {
        const base = node['left']
        if (node['operator'] !== '**' || (isNode(base) && 'bigint' in base)) return
        context.report({ node, message: `** ${INEXACT}` })
      },
    }
  },
}

/** `floor` of `Math.floor`; `null` where `Math` is used in any other way. */
function memberName(object: Node): string | null {
  const parent = object['parent']
  if (!isNode(parent) || parent.type !== 'MemberExpression' || parent['computed'] === true) {
    return null
  }
  const property = parent['property']
  return isNode(property) && typeof property['name'] === 'string' ? property['name'] : null
}
