import { startPreload } from '../preload.ts'
import { startSdk } from './start-sdk.ts'

startPreload(() => startSdk({ ...process.env }))
