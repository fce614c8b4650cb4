import type { Family } from './models.ts'

/** The headers that the real providers send with every answer. */
export function responseHeaders(
  family: Family,
  requestId: string,
  contentType: string,
  processingMs: number,
): Record<string, string> {
  if (family === 'anthropic') {
    return {
      'content-type': contentType,
      'request-id': requestId,
      'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-requests-remaining': '3999',
    }
  }
  return {
    'content-type': contentType,
    'x-request-id': requestId,
    'openai-organization': 'stand-in',
    'openai-version': '2020-10-01',
    'openai-processing-ms': String(Math.round(processingMs)),
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
  }
}

export function retryHeaders(retryAfterMs: number | null): Record<string, string> {
  if (retryAfterMs === null) return {}
  return {
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
    'retry-after-ms': String(retryAfterMs),
  }
}
