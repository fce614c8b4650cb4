/** Providers by the name of the host that they are reached at. */
const PROVIDER_HOSTS: readonly (readonly [host: RegExp, provider: string])[] = [
  [/^(?:[a-z]+\.)?api\.openai\.com$/, 'openai'],
  [/^[^.]+\.openai\.azure\.com$/, 'azure.ai.openai'],
  [/^[^.]+\.(?:services\.ai|cognitiveservices)\.azure\.com$/, 'azure.ai.openai'],
  [/^api\.anthropic\.com$/, 'anthropic'],
  [/^api\.deepseek\.com$/, 'deepseek'],
  [/^api\.groq\.com$/, 'groq'],
  [/^api\.x\.ai$/, 'x_ai'],
  [/^api\.mistral\.ai$/, 'mistral_ai'],
  [/^openrouter\.ai$/, 'openrouter'],
  [/^api\.perplexity\.ai$/, 'perplexity'],
  [/^api\.moonshot\.(?:ai|cn)$/, 'moonshot_ai'],
  [/^api\.cohere\.(?:com|ai)$/, 'cohere'],
  [/^generativelanguage\.googleapis\.com$/, 'gcp.gemini'],
  [/^(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com$/, 'gcp.vertex_ai'],
  [/^bedrock-(?:runtime|mantle)\.[a-z0-9-]+\.(?:amazonaws\.com|api\.aws)$/, 'aws.bedrock'],
]

/** The `gen_ai.provider.name` of a host; `null` where it is not known. */
export function providerOfHost(hostname: string): string | null {
  return PROVIDER_HOSTS.find(([host]) => host.test(hostname))?.[1] ?? null
}
