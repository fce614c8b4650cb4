// Makes calls one after the other and prints how long each took, in microseconds.
const [url, count, warmUp] = process.argv.slice(2)
const body = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'lorem ipsum dolor sit amet '.repeat(300).slice(0, 8192) }],
})
const headers = { 'content-type': 'application/json' }
const times = []
for (let call = 0; call < Number(count) + Number(warmUp); call++) {
  const start = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  await response.json()
  if (call >= Number(warmUp)) times.push((performance.now() - start) * 1000)
}
process.stdout.write(JSON.stringify(times))
