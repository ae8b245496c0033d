// node abort.mjs [MILLISECONDS]: a call ends within one step after its signal is aborted
import { Karlo } from 'karlo';

const [limit = '200'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const signal = AbortSignal.timeout(Number(limit));
try {
  await karlo.textToImage('a purple moon', { count: 100, signal });
} catch (error) {
  if (error !== signal.reason) throw error;
  console.log(`aborted: ${signal.reason.name}`);
}
await karlo.dispose(); // the model stays usable after an abort; this program no longer needs it
