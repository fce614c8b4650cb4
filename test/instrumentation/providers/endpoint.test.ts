import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Endpoint,
  type ExtraHost,
  matchEndpoint,
  parseExtraHosts,
} from '../../../instrumentation/src/providers/index.ts'

function match(url: string, method = 'POST', extraHosts: readonly ExtraHost[] = []) {
  return matchEndpoint(method, new URL(url), extraHosts)
}

function extra(text: string): readonly ExtraHost[] {
  const { hosts, problems } = parseExtraHosts(text)
  assert.deepEqual(problems, [])
  return hosts
}

const AZURE = 'https://my-resource.openai.azure.com/openai'

test('each known endpoint is matched, with its provider, dialect, operation and options', () => {
  const rows: [
    string,
    Endpoint['provider'],
    Endpoint['dialect'],
    Endpoint['operation'],
    boolean,
  ][] = [
    ['https://api.openai.com/v1/chat/completions', 'openai', 'openai.chat', 'chat', true],
    ['https://api.openai.com/v1/responses', 'openai', 'openai.responses', 'chat', false],
    ['https://api.openai.com/v1/responses/compact', 'openai', 'openai.responses', 'chat', false],
    [
      'https://api.openai.com/v1/completions',
      'openai',
      'openai.completions',
      'text_completion',
      true,
    ],
    ['https://api.openai.com/v1/embeddings', 'openai', 'openai.embeddings', 'embeddings', false],
    ['https://eu.api.openai.com/v1/responses', 'openai', 'openai.responses', 'chat', false],
    ['https://api.anthropic.com/v1/messages', 'anthropic', 'anthropic.messages', 'chat', false],
    [
      'https://api.anthropic.com/v1/messages?beta=true',
      'anthropic',
      'anthropic.messages',
      'chat',
      false,
    ],
    ['https://api.anthropic.com/v1/messages/', 'anthropic', 'anthropic.messages', 'chat', false],
    [`${AZURE}/v1/chat/completions`, 'azure.ai.openai', 'openai.chat', 'chat', true],
    [`${AZURE}/responses?api-version=1`, 'azure.ai.openai', 'openai.responses', 'chat', false],
  ]
  for (const [url, provider, dialect, operation, acceptsIncludeUsage] of rows) {
    const expected = { provider, dialect, operation, acceptsIncludeUsage, modelInPath: null }
    assert.deepEqual(match(url), expected, url)
  }
})

test('a deployment of Azure is the model that the address names', () => {
  const url = `${AZURE}/deployments/my%20gpt/chat/completions?api-version=2024-10-21`
  assert.deepEqual(match(url), {
    provider: 'azure.ai.openai',
    dialect: 'openai.chat',
    operation: 'chat',
    acceptsIncludeUsage: true,
    modelInPath: 'my gpt',
  })
  const broken = match(`${AZURE}/deployments/%E0%A4%A/embeddings`)
  assert.equal(broken?.modelInPath, '%E0%A4%A')
})

test('nothing else is matched: other methods, paths, hosts, ports and hosts that only look alike', () => {
  const others = [
    'https://api.openai.com/v1/responses/resp_1',
    'https://api.openai.com/v1/responses/resp_1/cancel',
    'https://api.openai.com/v1/responses/input_tokens',
    'https://api.openai.com/v1/images/generations',
    'https://api.openai.com/v1/messages',
    'https://api.openai.com/v2/chat/completions',
    'https://api.openai.com/x/v1/chat/completions',
    'https://api.openai.com:8443/v1/chat/completions',
    'https://api.anthropic.com/v1/messages/count_tokens',
    'https://api.anthropic.com/v1/messages/batches',
    'https://api.anthropic.com/v1/chat/completions',
    'https://api.openai.com.evil.example/v1/chat/completions',
    'https://evil-api.openai.com.example/v1/chat/completions',
    'https://notapi.openai.com/v1/chat/completions',
    'https://openai.azure.com/openai/v1/chat/completions',
    'https://my-resource.openai.azure.com/v1/chat/completions',
    'https://api.deepseek.com/chat/completions',
    'http://127.0.0.1:4319/v1/traces',
  ]
  for (const url of others) assert.equal(match(url), null, url)
  for (const method of ['GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS']) {
    assert.equal(match('https://api.openai.com/v1/chat/completions', method), null)
  }
  assert.notEqual(match('https://api.openai.com/v1/chat/completions', 'post'), null)
})

test('an added host is matched by its name and port, and by the paths of its family under any prefix', () => {
  const hosts = extra('127.0.0.1:4010=openai+usage, gateway.internal=anthropic,[::1]:9=openai')
  const local = match('http://127.0.0.1:4010/v1/chat/completions', 'POST', hosts)
  assert.deepEqual(local, {
    provider: 'openai',
    dialect: 'openai.chat',
    operation: 'chat',
    acceptsIncludeUsage: true,
    modelInPath: null,
  })
  const gateway = match('https://gateway.internal/claude/v1/messages', 'POST', hosts)
  assert.equal(gateway?.dialect, 'anthropic.messages')
  assert.equal(gateway?.acceptsIncludeUsage, false)
  assert.equal(match('http://[::1]:9/v1/embeddings', 'POST', hosts)?.dialect, 'openai.embeddings')
  assert.equal(
    match('https://gateway.internal:8080/v1/messages', 'POST', hosts)?.provider,
    'anthropic',
  )
  const others = [
    'http://127.0.0.1:4011/v1/chat/completions',
    'http://127.0.0.1:4010/v1/messages',
    'https://gateway.internal/v1/chat/completions',
    'http://127.0.0.1:4010/v1/models',
  ]
  for (const url of others) assert.equal(match(url, 'POST', hosts), null, url)
})

test('one host may speak both families, and a known one keeps its own name', () => {
  const hosts = extra('127.0.0.1:7=openai,127.0.0.1:7=anthropic,api.deepseek.com:443=openai+usage')
  const url = 'http://127.0.0.1:7/v1'
  assert.equal(match(`${url}/responses`, 'POST', hosts)?.dialect, 'openai.responses')
  assert.equal(match(`${url}/messages`, 'POST', hosts)?.dialect, 'anthropic.messages')
  const deepseek = match('https://api.deepseek.com/chat/completions', 'POST', hosts)
  assert.equal(deepseek?.provider, 'deepseek')
  assert.equal(deepseek?.acceptsIncludeUsage, true)
})

test('entries that say nothing known are reported, and the others are kept', () => {
  const wrong = [
    'nonsense',
    'host=gemini',
    'http://host=openai',
    'a b=openai',
    'h:port=openai',
    '=openai',
  ]
  const { hosts, problems } = parseExtraHosts([...wrong, 'Good.Host=OpenAI', ''].join(','))
  assert.deepEqual(hosts, [{ host: 'good.host', family: 'openai', acceptsIncludeUsage: false }])
  assert.equal(problems.length, wrong.length)
  for (const [index, entry] of wrong.entries()) assert.ok(problems[index]?.includes(`"${entry}"`))
})
