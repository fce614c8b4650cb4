/** The little of the linter's plugin interface that the rules here use. */
export type Node = { readonly type: string } & Readonly<Record<string, unknown>>

export type RuleContext = {
  readonly filename: string
  readonly cwd: string
  report(problem: { node: Node; message: string }): void
}

export type Rule = { create(context: RuleContext): Record<string, (node: Node) => void> }

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** A rule over every module that a file names: by import, import type, export from, or a dynamic import. */
export function moduleRule(
  check: (specifier: string, context: RuleContext) => string | null,
): Rule {
  return {
    create(context) {
      const visit = (node: Node) => {
        const source = node['source'] ?? node['argument']
        const specifier = isNode(source) ? (source['value'] ?? valueOf(source['literal'])) : null
        if (typeof specifier !== 'string') return
        const message = check(specifier, context)
        if (message !== null) context.report({ node, message })
      }
      return {
        ImportDeclaration: visit,
        ExportNamedDeclaration: visit,
        ExportAllDeclaration: visit,
        ImportExpression: visit,
        TSImportType: visit,
      }
    },
  }
}

const valueOf = (node: unknown) => (isNode(node) ? node['value'] : null)
