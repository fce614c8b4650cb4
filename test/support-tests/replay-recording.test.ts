import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRecording } from '../replay/recording.ts'

const HEAD = 'run_id,agent,prompt_tokens,completion_tokens'

test('runs keep the order of the file, calls the order in their run, and an empty agent is none', () => {
  const text = `${HEAD}\nb,Coder,5,6\na,,1,2\nb,"Tester, chief",7,8\n`
  assert.deepEqual(parseRecording(text), [
    {
      run: 'b',
      calls: [
        { agent: 'Coder', input: 5, output: 6 },
        { agent: 'Tester, chief', input: 7, output: 8 },
      ],
    },
    { run: 'a', calls: [{ agent: null, input: 1, output: 2 }] },
  ])
})

test('columns are found by name, whatever else the file has', () => {
  const text = 'x,completion_tokens,prompt_tokens,agent,run_id\r\n"a\n""b""",2,1,Coder,r\r\n'
  assert.deepEqual(parseRecording(text), [
    { run: 'r', calls: [{ agent: 'Coder', input: 1, output: 2 }] },
  ])
})

test('what is no recording is refused with its line', () => {
  assert.throws(() => parseRecording('run_id,agent,prompt_tokens\n'), /line 1: .*completion_tokens/)
  assert.throws(() => parseRecording(`${HEAD}\nr,a,1,2\nr,a,-1,2\n`), /line 3: prompt_tokens/)
  assert.throws(() => parseRecording(`${HEAD}\nr,a,1\n`), /line 2: completion_tokens/)
  assert.throws(() => parseRecording(`${HEAD}\n,a,1,2\n`), /line 2: no run_id/)
})

test('any field that can be written in CSV is read as it was written', () => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string(), fc.nat())), (rows) => {
      const lines = rows.map(([run, agent, n]) => `${quoted(run)},${quoted(agent)},${n},${n}`)
      const runs = parseRecording([HEAD, ...lines].join('\n'))
      const calls = runs.flatMap(({ run, calls: own }) => own.map((call) => ({ run, ...call })))
      const meant = Map.groupBy(rows, ([run]) => run)
      assert.deepEqual(
        calls,
        [...meant].flatMap(([run, own]) =>
          own.map(([, agent, n]) => ({
            run,
            agent: agent === '' ? null : agent,
            input: n,
            output: n,
          })),
        ),
      )
    }),
  )
})
