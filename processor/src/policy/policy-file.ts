import { existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { parsePolicy, type Policy, TokenfuseError } from '@tokenfuse/protocol'

const SETTLE_MS = 100

/**
 * Reads the policy file.
 * @param required whether it must be there
 * @returns `null` where it is not there and need not be
 * @throws PolicyError with every problem; TokenfuseError `policy_unreadable`
 */
export function readPolicyFile(path: string, required: boolean): Policy | null {
  const text = readText(path, required)
  return text === null ? null : parsePolicy(text, basename(path))
}

/**
 * The text of a file of the policy.
 * @returns `null` where it is not there and need not be
 * @throws TokenfuseError `policy_unreadable`
 */
export function readText(path: string, required: boolean): string | null {
  if (!required && !existsSync(path)) return null
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null
    const reason = code === 'ENOENT' ? 'there is no such file' : String(code ?? cause)
    throw new TokenfuseError('policy_unreadable', `${path} cannot be read: ${reason}`, {
      fix: 'Check its name and that you, or the user that the processor runs as, may read it.',
      cause,
    })
  }
  try {
    // A name with a sign in it that nobody wrote would match no call, and nothing would tell so.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new TokenfuseError('policy_unreadable', `${path} is no text in UTF-8`, {
      fix: 'Save it as UTF-8.',
      cause,
    })
  }
}

/**
 * Writes the policy file whole: whoever reads it meanwhile reads the old or the new one.
 * @throws TokenfuseError `policy_unreadable` where it cannot be written
 */
export function writePolicyFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`
  try {
    writeFileSync(draft, text)
    renameSync(draft, path)
  } catch (cause) {
    throw new TokenfuseError('policy_unreadable', `the policy file ${path} cannot be written`, {
      fix: 'Check that the processor may write it and that there is room on the disk.',
      cause,
    })
  }
}

/**
 * The file's text; empty where there is none.
 * @throws TokenfuseError `policy_unreadable`
 */
export function policyFileText(path: string): string {
  return readText(path, false) ?? ''
}

export type Watch = { close(): void }

/**
 * Calls `changed` once a while after the file was written, replaced, made or removed. It watches the folder, since
 * editors replace files; it never keeps the process alive.
 * @param failed is told when the folder cannot be watched
 */
export function watchPolicyFile(
  path: string,
  changed: () => void,
  failed: (error: unknown) => void,
): Watch {
  const name = basename(path)
  let settling: NodeJS.Timeout | null = null
  const settle = (_event: string, filename: string | null) => {
    if (filename !== null && filename !== name) return
    if (settling) clearTimeout(settling)
    settling = setTimeout(changed, SETTLE_MS).unref()
  }
  try {
    const watcher = watch(dirname(resolve(path)), { persistent: false }, settle)
    watcher.on('error', failed)
    return {
      close: () => {
        if (settling) clearTimeout(settling)
        watcher.close()
      },
    }
  } catch (error) {
    failed(error)
    return { close: () => {} }
  }
}
