// Makes calls of one task each at a steady pace, and prints when each has ended, in ms since 1970.
const [url, library, count, gapMs] = process.argv.slice(2)
const { withAgent } = await import(library)
const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] })
const headers = { 'content-type': 'application/json' }
const ended = {}
for (let call = 0; call < Number(count); call++) {
  const task = `lag-${call}`
  await withAgent({ task }, async () => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
    await response.json()
  })
  ended[task] = performance.timeOrigin + performance.now()
  await new Promise((resolve) => setTimeout(resolve, Number(gapMs)))
}
process.stdout.write(JSON.stringify(ended))
