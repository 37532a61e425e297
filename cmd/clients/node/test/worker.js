// Adds to a number, while its children are killed.
import { session, update } from '../index.js'
const [times, kills] = process.argv.slice(2).map(Number)
let left = kills
const kill = () => {
  if (left-- > 0) {
    session().kill()
    setTimeout(kill, 10 + Math.random() * 200).unref()
  }
}
setTimeout(kill, 50).unref()
for (let i = 0; i < times; i++) await update('n.json', d => { d.n++ })
