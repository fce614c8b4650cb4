// Plain JavaScript on purpose: the old runtimes that this file refuses cannot read TypeScript.
const needed = 24
const running = Number(process.versions.node.split('.')[0])
if (running < needed) {
  process.stderr.write(
    `tokenfuse's workspace needs Node ${needed}, but this is Node ${process.versions.node}.\n` +
      `Run "npm ci" with install scripts allowed: it puts Node 24 in node_modules/.bin, and "npm run" then uses it.\n`,
  )
  process.exit(1)
}
