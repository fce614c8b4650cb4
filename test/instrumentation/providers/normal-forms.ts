import type { TokenCounts, UsagePart } from '@tokenfuse/protocol/names'
import type { ResponseProblem } from '../../../instrumentation/src/providers/index.ts'

/** What tokenfuse must read from one recorded answer. */
export type NormalForm = {
  readonly model: string | null
  readonly tier: string | null
  readonly finish: readonly string[]
  readonly parts: readonly UsagePart[]
  readonly source: 'provider' | 'partial' | null
  readonly error: string | null
  readonly problems: readonly ResponseProblem[]
}

/** OpenAI: the input includes what was cached; no lifetimes of cache writes. */
function openai(
  input: number,
  cacheRead: number | null,
  output: number,
  reasoning: number | null,
  cacheWrite: number | null = null,
): TokenCounts {
  return { input, cacheRead, cacheWrite, cacheWrite1h: null, output, reasoning }
}

/** Anthropic without any caching: the four counts are given, and 0. */
function claude(input: number, output: number, reasoning: number | null = null): TokenCounts {
  return { input, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, output, reasoning }
}

/** Anthropic where cache counts are given as 0 without a split by lifetime. */
function claudeUnsplit(input: number, output: number): TokenCounts {
  return { ...claude(input, output), cacheWrite1h: null }
}

/** Anthropic, or another that speaks its dialect, without a word on caching. */
function claudeBare(input: number, output: number): TokenCounts {
  return { ...claudeUnsplit(input, output), cacheRead: null, cacheWrite: null }
}

function message(tokens: TokenCounts, webSearches = 0): UsagePart {
  return { part: 'message', model: null, tokens, webSearches }
}

function form(
  model: string,
  tier: string | null,
  finish: string,
  parts: TokenCounts | readonly UsagePart[],
): NormalForm {
  return {
    model,
    tier,
    finish: finish === '' ? [] : [finish],
    parts: 'input' in parts ? [message(parts)] : parts,
    source: 'provider',
    error: null,
    problems: [],
  }
}

function completed(
  model: string,
  tokens: TokenCounts,
  tier: string | null = 'default',
): NormalForm {
  return form(model, tier, 'completed', tokens)
}

function failed(error: string): NormalForm {
  const nothing = { model: null, tier: null, finish: [], parts: [], problems: [] }
  return { ...nothing, source: null, error }
}

const GPT_5_MINI = 'gpt-5-mini-2025-08-07'
const GPT_5_1 = 'gpt-5.1-2025-11-13'
const GPT_5_2 = 'gpt-5.2-2025-12-11'
const GPT_5_4 = 'gpt-5.4-2026-03-05'
const CODEX_MAX = 'gpt-5.1-codex-max'
const INSTRUCT = 'gpt-3.5-turbo-instruct:20230824-v2'

/**
 * Every answer of the recordings in `openai/` that an inference endpoint gave, in order where a recording holds
 * several. The numbers were read by eye from the recordings' own usage objects.
 */
export const OPENAI_FORMS: Readonly<Record<string, readonly NormalForm[]>> = {
  // The first event of this stream has no choices, no model and no usage; the address named a router.
  'azure-model-router.1.chunks.txt': [
    form('gpt-5-nano-2025-08-07', null, 'stop', openai(15, 0, 78, 64)),
  ],
  'github-copilot-id-rotation.1.chunks.txt': [
    completed('gpt-5.3-codex', openai(19, 0, 105, 44, 0)),
  ],
  'gpt-image-response-format-error.json': [failed('unknown_parameter')],
  'openai-apply-patch-tool-delete.1.chunks.txt': [completed(GPT_5_1, openai(24, 0, 0, 0))],
  'openai-apply-patch-tool.1.chunks.txt': [completed(GPT_5_1, openai(642, 0, 67, 0))],
  'openai-apply-patch-tool.1.json': [completed(GPT_5_1, openai(642, 0, 67, 0))],
  'openai-client-tool-search.1.chunks.txt': [completed(GPT_5_4, openai(65, 0, 31, 0))],
  'openai-client-tool-search.1.json': [completed(GPT_5_4, openai(65, 0, 28, 0))],
  'openai-client-tool-search.2.chunks.txt': [completed(GPT_5_4, openai(467, 0, 26, 0))],
  'openai-client-tool-search.2.json': [completed(GPT_5_4, openai(461, 0, 26, 0))],
  'openai-code-interpreter-tool.1.chunks.txt': [
    completed('gpt-5-nano-2025-08-07', openai(6047, 2944, 1623, 1408)),
  ],
  'openai-code-interpreter-tool.1.json': [
    completed('gpt-5-nano-2025-08-07', openai(2283, 0, 1928, 1792)),
  ],
  'openai-compaction.1.chunks.txt': [completed(GPT_5_2, openai(51_097, 49_792, 2505, 0))],
  'openai-completion-text.chunks.txt': [form(INSTRUCT, null, 'length', openai(14, null, 16, null))],
  'openai-completion-text.json': [form(INSTRUCT, null, 'length', openai(14, null, 16, null))],
  'openai-custom-tool.1.chunks.txt': [completed('gpt-5.2-codex', openai(50, 0, 20, 0), null)],
  'openai-custom-tool.1.json': [completed('gpt-5.2-codex', openai(50, 0, 20, 0), null)],
  // The total is the input: there is no output.
  'openai-embedding.json': [form('text-embedding-3-small', null, '', openai(12, null, 0, null))],
  'openai-error.1.chunks.txt': [
    {
      ...failed('insufficient_quota'),
      model: 'gpt-5-nano-2025-08-07',
      tier: 'auto',
      finish: ['failed'],
    },
  ],
  'openai-error.1.json': [failed('insufficient_quota')],
  'openai-file-search-tool.1.chunks.txt': [completed(GPT_5_MINI, openai(3737, 2304, 621, 512))],
  'openai-file-search-tool.1.json': [completed(GPT_5_MINI, openai(3700, 2560, 741, 640))],
  'openai-file-search-tool.2.chunks.txt': [completed(GPT_5_MINI, openai(3748, 2304, 543, 448))],
  'openai-file-search-tool.2.json': [completed(GPT_5_MINI, openai(3678, 2304, 536, 448))],
  'openai-image-generation-tool.1.chunks.txt': [
    completed('gpt-5-2025-08-07', openai(2941, 1920, 1249, 1024)),
  ],
  'openai-image-generation-tool.1.json': [
    completed('gpt-5-nano-2025-08-07', openai(3151, 0, 1970, 1920)),
  ],
  'openai-local-shell-tool.1.chunks.txt': [completed('gpt-5-codex', openai(407, 0, 151, 128))],
  'openai-local-shell-tool.1.json': [completed('gpt-5-codex', openai(407, 0, 24, 0))],
  'openai-mcp-tool-approval.1.chunks.txt': [completed(GPT_5_MINI, openai(422, 0, 48, 0))],
  'openai-mcp-tool-approval.1.json': [completed(GPT_5_MINI, openai(422, 0, 104, 64))],
  'openai-mcp-tool-approval.2.chunks.txt': [completed(GPT_5_MINI, openai(553, 0, 371, 256))],
  'openai-mcp-tool-approval.2.json': [completed(GPT_5_MINI, openai(592, 0, 421, 320))],
  'openai-mcp-tool-approval.3.chunks.txt': [completed(GPT_5_MINI, openai(609, 0, 48, 0))],
  'openai-mcp-tool-approval.3.json': [completed(GPT_5_MINI, openai(587, 0, 104, 64))],
  'openai-mcp-tool-approval.4.chunks.txt': [completed(GPT_5_MINI, openai(779, 0, 69, 0))],
  'openai-mcp-tool-approval.4.json': [completed(GPT_5_MINI, openai(765, 0, 74, 0))],
  'openai-mcp-tool.1.chunks.txt': [completed(GPT_5_MINI, openai(11_791, 0, 963, 512))],
  'openai-mcp-tool.1.json': [completed(GPT_5_MINI, openai(6700, 0, 1078, 704))],
  'openai-phase.1.chunks.txt': [completed('gpt-5.3-codex', openai(7112, 3072, 463, 64))],
  'openai-phase.1.json': [completed('gpt-5.3-codex', openai(7243, 3072, 423, 58))],
  'openai-reasoning-encrypted-content.1.chunks.txt': [
    completed(CODEX_MAX, openai(134, 0, 28, 0)),
    completed(CODEX_MAX, openai(221, 0, 26, 0)),
    completed(CODEX_MAX, openai(260, 0, 26, 0)),
    completed(CODEX_MAX, openai(299, 0, 12, 0)),
  ],
  'openai-reasoning-encrypted-content.1.json': [completed(GPT_5_MINI, openai(865, 0, 163, 128))],
  'openai-shell-container-multiturn.1.chunks.txt': [completed(GPT_5_2, openai(802, 0, 20, 0))],
  'openai-shell-container-multiturn.1.json': [completed(GPT_5_2, openai(800, 0, 19, 0))],
  'openai-shell-container.1.chunks.txt': [completed(GPT_5_2, openai(200, 0, 120, 0))],
  'openai-shell-container.1.json': [completed(GPT_5_2, openai(200, 0, 120, 0))],
  'openai-shell-local-multiturn.1.chunks.txt': [completed(GPT_5_2, openai(444, 0, 12, 0))],
  'openai-shell-local-multiturn.1.json': [completed(GPT_5_2, openai(444, 0, 12, 0))],
  'openai-shell-skills.1.chunks.txt': [completed(GPT_5_2, openai(1501, 1024, 314, 100))],
  'openai-shell-skills.1.json': [completed(GPT_5_2, openai(1499, 1024, 331, 100))],
  'openai-shell-tool.1.chunks.txt': [
    completed(GPT_5_1, openai(145, 0, 41, 0)),
    completed(GPT_5_1, openai(331, 0, 166, 0)),
  ],
  'openai-shell-tool.1.json': [completed(GPT_5_1, openai(157, 0, 73, 0))],
  'openai-text.chunks.txt': [
    form('gpt-4.1-nano-2025-04-14', 'default', 'stop', openai(16, 0, 300, 0)),
  ],
  'openai-text.json': [form('gpt-4.1-nano-2025-04-14', 'default', 'stop', openai(16, 0, 363, 0))],
  'openai-tool-search.1.chunks.txt': [completed(GPT_5_4, openai(640, 0, 46, 20))],
  'openai-tool-search.1.json': [completed(GPT_5_4, openai(640, 0, 46, 20))],
  // Six calls of the tool, of which two searched; the others opened pages and looked for text.
  'openai-web-search-tool.1.chunks.txt': [
    form(GPT_5_MINI, 'default', 'completed', [message(openai(31_073, 3712, 4416, 3712), 2)]),
  ],
  // Three calls of the tool, of which one searched.
  'openai-web-search-tool.1.json': [
    form(GPT_5_MINI, 'default', 'completed', [message(openai(19_681, 3712, 3773, 3136), 1)]),
  ],
  // Its first and its last line, which would carry the usage, are no valid JSON.
  'parallel-tool-call-wrapper.1.chunks.txt': [
    {
      model: null,
      tier: null,
      finish: [],
      parts: [],
      source: null,
      error: null,
      problems: ['usage_missing', 'event_malformed'],
    },
  ],
  'parallel-tool-call-wrapper.1.json': [completed('gpt-5.4', openai(34, 0, 28, 0), null)],
  'programmatic-tool-calling.1.chunks.txt': [completed('gpt-5.6-sol', openai(631, 0, 87, 37, 0))],
  'programmatic-tool-calling.1.json': [completed('gpt-5.6-sol', openai(631, 0, 139, 55, 0))],
  // The provider itself says 0 in, 0 out: that is known.
  'programmatic-tool-calling.2.chunks.txt': [
    completed('gpt-5.6-sol', openai(0, 0, 0, 0, 0), 'auto'),
  ],
  'programmatic-tool-calling.2.json': [completed('gpt-5.6-sol', openai(0, 0, 0, 0, 0), 'auto')],
  'programmatic-tool-calling.3.chunks.txt': [completed('gpt-5.6-sol', openai(757, 0, 35, 0, 0))],
  'programmatic-tool-calling.3.json': [completed('gpt-5.6-sol', openai(802, 0, 58, 0, 0))],
  'reasoning-model-legacy-parameter-error.json': [failed('unsupported_parameter')],
  'reasoning-model-temperature-error.json': [failed('invalid_request_error')],
}

const SONNET_4 = 'claude-sonnet-4-20250514'
const SONNET_4_5 = 'claude-sonnet-4-5-20250929'
const HAIKU_4_5 = 'claude-haiku-4-5-20251001'
const OPUS_4_7 = 'claude-opus-4-7'

function ended(
  model: string,
  parts: TokenCounts | readonly UsagePart[],
  tier: string | null = 'standard',
): NormalForm {
  return form(model, tier, 'end_turn', parts)
}

function calledTool(model: string, tokens: TokenCounts): NormalForm {
  return form(model, 'standard', 'tool_use', tokens)
}

/** Written between two calls of a tool by the provider's own program: usage is given, and nothing but 0. */
const PROGRAM_STEP = form(SONNET_4_5, null, 'tool_use', claudeBare(0, 0))

/** Every answer of the recordings in `anthropic/` that the messages endpoint gave; see `OPENAI_FORMS`. */
export const ANTHROPIC_FORMS: Readonly<Record<string, readonly NormalForm[]>> = {
  // The top level, 4,727 in and 3,391 out, is the sum of the two messages; the advisor is charged beside it.
  'anthropic-advisor-20250301.1.chunks.txt': [
    ended('claude-sonnet-4-6', [
      message(claude(1051, 35)),
      message(claude(3676, 3356)),
      { part: 'advisor', model: OPUS_4_7, tokens: claude(2728, 3880), webSearches: 0 },
    ]),
  ],
  'anthropic-advisor-20260301.1.json': [
    ended('claude-sonnet-4-6', [
      message(claude(1051, 35)),
      message(claude(1363, 3165)),
      { part: 'advisor', model: OPUS_4_7, tokens: claude(2728, 874), webSearches: 0 },
    ]),
  ],
  'anthropic-advisor-stop-reasons.chunks.txt': [
    ended('claude-sonnet-4-6', claudeUnsplit(10, 20), null),
  ],
  'anthropic-advisor-stop-reasons.json': [ended('claude-sonnet-4-6', claudeBare(10, 20), null)],
  'anthropic-claude-opus-5-reasoning-high.1.json': [ended('claude-opus-5', claude(51, 1699, 139))],
  'anthropic-clear-thinking.1.chunks.txt': [ended(SONNET_4_5, claude(69, 53))],
  'anthropic-clear-thinking.1.json': [ended(SONNET_4_5, claude(69, 33))],
  'anthropic-clear-tool-uses.1.chunks.txt': [ended(HAIKU_4_5, claude(859, 122))],
  'anthropic-clear-tool-uses.1.json': [ended(HAIKU_4_5, claude(859, 132))],
  // 6 + 6,289 read + 3,337 written; the split by lifetime is only in the start, which knew of 3,068 writes.
  'anthropic-code-execution-20260120-prompt-cache.1.chunks.txt': [
    ended('claude-sonnet-5', {
      input: 9632,
      cacheRead: 6289,
      cacheWrite: 3337,
      cacheWrite1h: 0,
      output: 198,
      reasoning: 0,
    }),
  ],
  'anthropic-code-execution-file-upload.1.json': [ended(SONNET_4_5, claude(7451, 521))],
  'anthropic-combined-context-editing.1.chunks.txt': [ended(SONNET_4_5, claude(50, 485))],
  'anthropic-combined-context-editing.1.json': [ended(SONNET_4_5, claude(50, 418))],
  // What was read to be compacted is not in the top level.
  'anthropic-compaction.1.chunks.txt': [
    ended('claude-opus-4-6', [
      message(claude(612, 2819)),
      { part: 'compaction', model: null, tokens: claude(60_385, 522), webSearches: 0 },
    ]),
  ],
  'anthropic-compaction.1.json': [
    ended('claude-opus-4-6', [
      message(claude(682, 1320)),
      { part: 'compaction', model: null, tokens: claude(60_385, 592), webSearches: 0 },
    ]),
  ],
  // The model that was asked first refused; the top level is that of the model which answered.
  'anthropic-fallback.chunks.txt': [ended('claude-opus-4-8', claudeUnsplit(412, 264), null)],
  'anthropic-fallback.json': [ended('claude-opus-4-8', claudeUnsplit(412, 264), null)],
  'anthropic-json-other-tool.1.chunks.txt': [calledTool(HAIKU_4_5, claude(843, 28))],
  'anthropic-json-other-tool.1.json': [calledTool(HAIKU_4_5, claude(843, 28))],
  'anthropic-json-output-format.1.chunks.txt': [ended(SONNET_4_5, claude(313, 305))],
  'anthropic-json-output-format.1.json': [ended(SONNET_4_5, claude(371, 629))],
  'anthropic-json-tool.1.chunks.txt': [calledTool(HAIKU_4_5, claude(849, 47))],
  'anthropic-json-tool.1.json': [calledTool(HAIKU_4_5, claude(1151, 87))],
  'anthropic-json-tool.2.chunks.txt': [calledTool(HAIKU_4_5, claude(849, 47))],
  // The start said 589 in; the server's tools added to it.
  'anthropic-mcp.1.chunks.txt': [ended(SONNET_4_5, claude(1250, 83))],
  'anthropic-mcp.1.json': [ended(SONNET_4_5, claude(1250, 88))],
  'anthropic-memory-20250818.1.json': [calledTool(SONNET_4_5, claude(1614, 69))],
  'anthropic-message-delta-input-tokens.chunks.txt': [
    ended('claude-opus-4-5-20251101', claudeBare(61, 2), null),
  ],
  'anthropic-programmatic-tool-calling.1.chunks.txt': [
    calledTool(SONNET_4_5, claude(3369, 725)),
    ...Array.from({ length: 13 }, () => PROGRAM_STEP),
    ended(SONNET_4_5, claude(4551, 197)),
  ],
  'anthropic-programmatic-tool-calling.1.json': [ended(SONNET_4_5, claude(4243, 229))],
  'anthropic-refusal-no-details.json': [
    form('claude-fable-5', 'standard', 'refusal', claude(18, 5)),
  ],
  'anthropic-refusal.chunks.txt': [form('claude-fable-5', 'standard', 'refusal', claude(18, 5))],
  'anthropic-refusal.json': [form('claude-fable-5', 'standard', 'refusal', claude(18, 5))],
  'anthropic-text.chunks.txt': [ended(SONNET_4_5, claude(12, 30))],
  'anthropic-text.json': [ended(SONNET_4_5, claude(12, 29))],
  'anthropic-tool-no-args.chunks.txt': [calledTool(SONNET_4_5, claude(565, 48))],
  'anthropic-tool-no-args.json': [calledTool('claude-3-opus-20240229', claude(602, 93))],
  'anthropic-tool-search-bm25.1.chunks.txt': [
    calledTool(SONNET_4_5, claude(1630, 158)),
    ended(SONNET_4_5, claude(1040, 41)),
  ],
  'anthropic-tool-search-bm25.1.json': [calledTool(SONNET_4_5, claude(1631, 161))],
  'anthropic-tool-search-deferred-bm25.2.json': [calledTool(SONNET_4_5, claude(1398, 213))],
  'anthropic-tool-search-deferred-bm25.chunks.txt': [
    calledTool(SONNET_4_5, claude(879, 177)),
    calledTool(SONNET_4_5, claude(1398, 213)),
    ended(SONNET_4_5, claude(1639, 95)),
  ],
  'anthropic-tool-search-deferred-regex.2.json': [calledTool(SONNET_4_5, claude(1520, 203))],
  'anthropic-tool-search-deferred-regex.chunks.txt': [
    calledTool(SONNET_4_5, claude(904, 175)),
    calledTool(SONNET_4_5, claude(1519, 211)),
    ended(SONNET_4_5, claude(1758, 118)),
  ],
  'anthropic-tool-search-regex.1.chunks.txt': [
    calledTool(SONNET_4_5, claude(1681, 163)),
    ended(SONNET_4_5, claude(1071, 67)),
  ],
  'anthropic-tool-search-regex.1.json': [calledTool(SONNET_4_5, claude(1676, 184))],
  'anthropic-web-fetch-tool-20260209.1.chunks.txt': [ended('claude-sonnet-4-6', claude(7172, 144))],
  'anthropic-web-fetch-tool-20260209.1.json': [ended('claude-sonnet-4-6', claude(7204, 162))],
  'anthropic-web-fetch-tool.1.chunks.txt': [ended(SONNET_4, claude(4230, 446))],
  'anthropic-web-fetch-tool.1.json': [ended(SONNET_4, claude(4234, 462))],
  'anthropic-web-fetch-tool.2.json': [ended(SONNET_4, claude(28_638, 365))],
  'anthropic-web-fetch-tool.error.json': [ended(SONNET_4, claude(1902, 214))],
  // The start said 2,037 in.
  'anthropic-web-search-tool.1.chunks.txt': [ended(SONNET_4, [message(claude(15_665, 795), 1)])],
  'anthropic-web-search-tool.1.json': [ended(SONNET_4, [message(claude(27_118, 600), 2)])],
  'duplicate-message-start.chunks.txt': [
    ended('claude-3-haiku-20240307', claudeBare(17, 227), null),
  ],
  // A gateway began anew: what the first attempt generated is not known, so that the whole is a lower bound.
  'spliced-message-start.chunks.txt': [
    {
      ...form('claude-3-haiku-20240307', null, 'tool_use', [
        { part: 'attempt', model: null, tokens: claudeBare(17, 1), webSearches: 0 },
        message(claudeBare(17, 65)),
      ]),
      source: 'partial',
      problems: ['stream_spliced'],
    },
  ],
}

/** Recordings that no inference endpoint gave, and what each is. */
export const OTHER_RECORDINGS: Readonly<Record<string, string>> = {
  'openai/openai-image-edit.json': 'image',
  'openai/openai-image.json': 'image',
  'openai/openai-realtime-speech-translation.chunks.txt': 'realtime',
  'openai/openai-skill-create.json': 'skill',
  'openai/openai-transcription.json': 'transcription',
  'anthropic/anthropic-skill-create.json': 'skill',
  'anthropic/anthropic-skill-version-create.json': 'skill',
}
