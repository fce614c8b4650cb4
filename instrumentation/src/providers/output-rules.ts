import type { Dialect, Endpoint } from './endpoint.ts'
import { asArray, asObject, asText, type JsonObject } from './json.ts'
import { withMember } from './request-edit.ts'
import type { RequestFacts } from './request.ts'

/** What can be said beforehand of how much a request's answer may bill. */
export type OutputRules = {
  /** Whether the provider's own output limit bounds all that is billed for the answer. */
  readonly cappable: boolean
  /** Why not, as a stable code. */
  readonly why: 'no_json_body' | 'audio' | 'server_tools' | 'background' | 'compaction' | null
  /** The lowest output limit that the provider accepts and that leaves room for an answer. */
  readonly minimumOutput: number
}

const MINIMUM_OUTPUT = 64
/** A model that thinks first says nothing at all below this. */
const MINIMUM_REASONING_OUTPUT = 1024
const REASONING_MODEL = /^(o\d|gpt-5|gpt-oss|deepseek-r|claude-[a-z]+-[5-9])/

/** Tools that the app runs itself; any other type of tool is run by the provider, within the same answer. */
const OWN_TOOLS: Readonly<Record<'openai' | 'anthropic', RegExp>> = {
  openai: /^(function|custom|local_shell|shell|apply_patch|computer.*)$/,
  anthropic: /^(custom|bash_.*|text_editor_.*|computer_.*|memory_.*)$/,
}

/** Never throws: a request that cannot be read is one whose answer cannot be bounded. */
export function outputRules(dialect: Dialect, { body, model }: RequestFacts): OutputRules {
  const why = body === null ? 'no_json_body' : unboundedBy(dialect, body)
  return {
    cappable: why === null,
    why,
    minimumOutput: body === null ? MINIMUM_OUTPUT : minimumOutput(body, model),
  }
}

function unboundedBy(dialect: Dialect, body: JsonObject): OutputRules['why'] {
  if (dialect === 'openai.embeddings') return null
  if (asArray(body['modalities']).includes('audio')) return 'audio'
  if (body['background'] === true) return 'background'
  if (body['web_search_options'] !== undefined || asArray(body['mcp_servers']).length > 0) {
    return 'server_tools'
  }
  const own = OWN_TOOLS[dialect === 'anthropic.messages' ? 'anthropic' : 'openai']
  const types = asArray(body['tools']).map((tool) => asText(asObject(tool)?.['type']) ?? 'custom')
  if (types.some((type) => !own.test(type))) return 'server_tools'
  return mayCompact(body) ? 'compaction' : null
}

function mayCompact(body: JsonObject): boolean {
  const management = body['context_management']
  const edits = Array.isArray(management) ? management : asArray(asObject(management)?.['edits'])
  return edits.some((edit) => (asText(asObject(edit)?.['type']) ?? '').startsWith('compact'))
}

function minimumOutput(body: JsonObject, model: string): number {
  const thinking = asObject(body['thinking'])
  const budget = thinking?.['budget_tokens']
  if (typeof budget === 'number' && budget > 0) return Math.ceil(budget) + MINIMUM_OUTPUT
  const effort = asText(body['reasoning_effort']) ?? asText(asObject(body['reasoning'])?.['effort'])
  const isOff = effort === 'none' || effort === 'minimal' || thinking?.['type'] === 'disabled'
  const thinks = thinking?.['type'] === 'adaptive' || effort !== null || REASONING_MODEL.test(model)
  return thinks && !isOff ? MINIMUM_REASONING_OUTPUT : MINIMUM_OUTPUT
}

/** The body with its output limit set, and nothing else of it changed. `null` where it cannot be. */
export function withOutputLimit(
  bodyText: string,
  endpoint: Pick<Endpoint, 'dialect' | 'provider'>,
  facts: RequestFacts,
  limit: number,
): string | null {
  if (facts.body === null) return null
  const name = limitName(endpoint, facts.body)
  return name === null ? null : withMember(bodyText, name, String(limit))
}

/** The member that the request uses already, or else the one that the provider documents today. */
function limitName(
  { dialect, provider }: Pick<Endpoint, 'dialect' | 'provider'>,
  body: JsonObject,
): string | null {
  switch (dialect) {
    case 'openai.chat':
      if (body['max_completion_tokens'] !== undefined) return 'max_completion_tokens'
      if (body['max_tokens'] !== undefined) return 'max_tokens'
      // Compatible hosts often know the older name alone.
      return provider === 'openai' || provider === 'azure.ai.openai'
        ? 'max_completion_tokens'
        : 'max_tokens'
    case 'openai.responses':
      return 'max_output_tokens'
    case 'openai.completions':
    case 'anthropic.messages':
      return 'max_tokens'
    case 'openai.embeddings':
      return null
  }
}
