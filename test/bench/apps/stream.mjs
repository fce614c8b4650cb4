// Reads a stream to its end, pausing after each of the first chunks if told so; prints CPU time and memory.
const [url, pauses] = process.argv.slice(2)
const headers = { 'content-type': 'application/json' }
const body = JSON.stringify({
  model: 'gpt-4o-mini',
  stream: true,
  messages: [{ role: 'user', content: 'hi' }],
})
const read = async (path) => {
  const response = await fetch(url + path, { method: 'POST', headers, body })
  let chunks = 0
  let mostBytes = 0
  for await (const chunk of response.body) {
    chunks += chunk.length > 0 ? 1 : 0
    if (chunks <= Number(pauses)) await new Promise((resolve) => setTimeout(resolve, 10))
    if (chunks % 64 === 0) mostBytes = Math.max(mostBytes, process.memoryUsage.rss())
  }
  return { chunks, mostBytes }
}
await read('/v1/chat/completions?events=2000')
const rssBefore = process.memoryUsage.rss()
const before = process.cpuUsage()
const { chunks, mostBytes } = await read(`/v1/chat/completions${process.argv[4] ?? ''}`)
const { user, system } = process.cpuUsage(before)
process.stdout.write(
  JSON.stringify({ chunks, cpuMicros: user + system, grownBytes: mostBytes - rssBefore }),
)
