import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import { readText } from '../../../processor/src/policy/policy-file.ts'
import { temporaryFolder } from '../../support/processor.ts'

function problemOf(read: () => unknown): TokenfuseError {
  try {
    read()
  } catch (error) {
    assert.ok(TokenfuseError.isInstance(error), String(error))
    return error
  }
  assert.fail('it was read')
}

test('a file that is no UTF-8 is refused, and not read with signs in it that nobody wrote', (t) => {
  const path = join(temporaryFolder(t), 'tokenfuse.yaml')
  const texts = [Buffer.from('id: caf\u00e9', 'latin1'), Buffer.from('\ufeffversion: 1', 'utf16le')]
  for (const bytes of texts) {
    writeFileSync(path, bytes)
    const { code, message, fix } = problemOf(() => readText(path, true))
    assert.equal(code, 'policy_unreadable')
    assert.match(message, /tokenfuse\.yaml is no text in UTF-8$/)
    assert.equal(fix, 'Save it as UTF-8.')
  }
  writeFileSync(path, '\ufeffid: caf\u00e9')
  assert.equal(readText(path, true), 'id: caf\u00e9')
})

test('a file that is not there is told apart from one that may not be read', (t) => {
  const folder = temporaryFolder(t)
  assert.match(problemOf(() => readText(join(folder, 'no'), true)).message, /no such file$/)
  assert.match(problemOf(() => readText(folder, true)).message, /cannot be read: EISDIR$/)
  assert.equal(readText(join(folder, 'no'), false), null)
})
