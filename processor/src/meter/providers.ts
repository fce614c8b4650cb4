/** Older or foreign provider names, in lower case, with the one that the GenAI conventions have today. */
const PROVIDER_ALIASES: Readonly<Record<string, string>> = {
  openai: 'openai',
  'openai.chat': 'openai',
  'openai.responses': 'openai',
  'openai.completion': 'openai',
  'openai.embedding': 'openai',
  anthropic: 'anthropic',
  'anthropic.messages': 'anthropic',
  'az.ai.openai': 'azure.ai.openai',
  'az.ai.inference': 'azure.ai.inference',
  gemini: 'gcp.gemini',
  vertex_ai: 'gcp.vertex_ai',
  xai: 'x_ai',
}

export function providerName(told: string): string {
  const lower = told.toLowerCase()
  return Object.hasOwn(PROVIDER_ALIASES, lower) ? (PROVIDER_ALIASES[lower] as string) : told
}

/** Providers that count cached input apart from `input`, so that some emitters pass it on that way. */
const INPUT_WITHOUT_CACHE: ReadonlySet<string> = new Set(['anthropic', 'aws.bedrock'])

export function countsCacheApart(provider: string): boolean {
  return INPUT_WITHOUT_CACHE.has(provider)
}
