#!/usr/bin/env node
// Plain JavaScript on purpose: runtimes that are too old must be able to read it, to be told what they lack.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'

const NEEDED = 24
const running = Number(process.versions.node.split('.')[0])

if (running >= NEEDED) {
  await runHere()
} else {
  const carried = carriedNode()
  if (carried) runOn(carried)
  else {
    process.stderr.write(
      `error: tokenfuse needs Node ${NEEDED} or later, but this is Node ${process.versions.node}\n` +
        `fix:   Install Node ${NEEDED} (https://nodejs.org), or add it to this project: npm install --save-dev node@${NEEDED}\n` +
        `       Your agents may go on with the Node they have, from 22.15 on.\n`,
    )
    process.exitCode = 1
  }
}

async function runHere() {
  // With the condition active the packages resolve to their sources, so the command has to come from its own, too.
  const fromSource = import.meta.resolve('@tokenfuse/protocol/names').endsWith('.ts')
  const entry = new URL(fromSource ? '../src/main.ts' : '../dist/main.js', import.meta.url)
  if (!existsSync(entry)) {
    process.stderr.write('error: tokenfuse is not built\nfix:   Run "npm run build" first.\n')
    process.exitCode = 1
    return
  }
  const { main } = await import(entry.href)
  await main(process.argv.slice(2))
}

/** The Node that the npm package `node` brings, where it is installed and new enough. */
function carriedNode() {
  const require = createRequire(import.meta.url)
  for (const from of [import.meta.url, `file://${process.cwd()}/`]) {
    try {
      const manifest = createRequire(from).resolve('node/package.json')
      const binary = manifest.replace(/package\.json$/, 'bin/node')
      if (Number(require(manifest).version.split('.')[0]) >= NEEDED && existsSync(binary)) {
        return binary
      }
    } catch {
      // Not installed there.
    }
  }
  return null
}

/** Runs this same command on another Node and ends as it ends. */
function runOn(binary) {
  const child = spawn(binary, process.argv.slice(1), { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
  // The terminal tells a Ctrl-C to both.
  const told = process.stdin.isTTY ? ['SIGINT', 'SIGQUIT', 'SIGHUP'] : []
  for (const signal of signals) {
    process.on(signal, () => told.includes(signal) || child.kill(signal))
  }
  child.on('error', (error) => {
    process.stderr.write(`error: ${binary} cannot be run: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100)
  })
}
