import type { Random } from './random.ts'

// Each is one o200k token, at the start of a text and after a space: so many words are so many tokens.
const WORDS = (
  'able about above account action active after again air also always among amount animal another answer area ' +
  'army around art ask author away back bad base beautiful bed before begin behind best better between ' +
  'big bird black blue board boat body book both bottom box boy bring brown build building business buy ' +
  'call car care carry case cat cause center certain change check child city class clear close cold ' +
  'color come common complete control cool copy corner correct cost country course cover cross current cut dark ' +
  'data date day dead deal death deep degree design different direct divide doctor dog door down draw ' +
  'dream dress drive drop dry during each early earth east easy eat edge effect eight either else empty end ' +
  'even event ever every example exercise expect eye face fact fair fall family far farm fast ' +
  'father feel few field fight figure fill final find fine finger finish fire first fish fit five floor flow ' +
  'fly follow food foot force form forward four free fresh friend from front full game garden general get girl ' +
  'give glass go gold good great green ground group grow guide gun hair half hand happy hard have head hear ' +
  'heart heat heavy height help here high hill history hold home hope horse hot hour house how human ' +
  'idea image inch include industry inside interest job join just keep key kind king know land language ' +
  'large last late law lay lead learn least leave left leg length less letter level lie life light like line ' +
  'list listen little live local long look love low machine main make man many map mark market matter may mean ' +
  'measure meet member men metal method middle might mile mind minute miss modern moment money month moon more ' +
  'most mother motion move much music must name nation natural near need never new next night ' +
  'nine north note nothing notice number object offer office often oil old once only open order other out'
).split(' ')

const CORPUS_WORDS = 8192
const corpus = buildCorpus()

/** A text of exactly `count` o200k tokens, chosen by chance. */
export function wordsText(count: number, random: Random): string {
  if (count <= 0) return ''
  let from = Math.floor(random() * (CORPUS_WORDS / 2))
  const slices: string[] = []
  for (let missing = count; missing > 0; from = 0) {
    const taken = Math.min(missing, CORPUS_WORDS - from)
    slices.push(corpus.text.slice(corpus.starts[from], corpus.ends[from + taken - 1]))
    missing -= taken
  }
  return slices.join(' ')
}

/** The first `count` words of a text in which single spaces divide the words. */
export function firstWords(text: string, count: number): string {
  if (count <= 0) return ''
  let end = -1
  for (let words = 0; words < count; words++) {
    end = text.indexOf(' ', end + 1)
    if (end === -1) return text
  }
  return text.slice(0, end)
}

/** Cuts such a text into slices of `size` words each (the last may have fewer); they join to the text. */
export function* wordSlices(
  text: string,
  size: number,
): Generator<{ text: string; words: number }> {
  let from = 0
  while (from < text.length) {
    let until = from
    let words = 0
    while (words < size && until < text.length) {
      const next = text.indexOf(' ', until + 1)
      until = next === -1 ? text.length : next
      words++
    }
    yield { text: text.slice(from, until), words }
    from = until
  }
}

function buildCorpus(): { text: string; starts: Int32Array; ends: Int32Array } {
  const starts = new Int32Array(CORPUS_WORDS)
  const ends = new Int32Array(CORPUS_WORDS)
  const chosen: string[] = []
  let length = 0
  let state = 12_345
  for (let index = 0; index < CORPUS_WORDS; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    const word = WORDS[(state >>> 8) % WORDS.length] ?? 'word'
    chosen.push(word)
    starts[index] = length
    ends[index] = length + word.length
    length += word.length + 1
  }
  return { text: chosen.join(' '), starts, ends }
}

/** For the test that each is one token. */
export function vocabulary(): readonly string[] {
  return WORDS
}
