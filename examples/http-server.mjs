// node http-server.mjs [PORT]: http://localhost:PORT shows an image while it is generated. Each preview
// replaces the previous one (multipart/x-mixed-replace, which every browser displays in an <img>).
import { createServer } from 'node:http';
import { Karlo } from 'karlo';

const [port = '8080'] = process.argv.slice(2);
const page = `<!doctype html><title>karlo</title><form onsubmit="event.preventDefault();
  image.src = '/image?prompt=' + encodeURIComponent(prompt.value)">
<input id="prompt" value="a blue star on a yellow background" size="50"> <button>Draw</button></form>
<p><img id="image" width="256" height="256">`;

const karlo = await Karlo.load({ model: 'karlo-tiny' });

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname !== '/image') return response.setHeader('content-type', 'text/html').end(page);
  const gone = new AbortController();
  response.on('close', () => gone.abort()); // the client has disconnected
  try {
    const options = { previews: true, signal: gone.signal };
    const task = karlo.textToImage(searchParams.get('prompt') ?? '', options);
    response.setHeader('content-type', 'multipart/x-mixed-replace; boundary=image');
    for await (const event of task) {
      const images = event.type === 'image' ? [event] : (event.previews ?? []);
      for (const { image } of images) await send(image);
    }
    response.end('--image--\r\n');
  } catch (error) {
    if (!gone.signal.aborted) response.writeHead(400).end(String(error));
  }

  async function send(/** @type {import('karlo').KarloImage} */ image) {
    const bytes = await image.toBuffer('png');
    response.write(`--image\r\ncontent-type: image/png\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    response.write(bytes);
    response.write('\r\n');
  }
});
server.listen(Number(port), 'localhost', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`http://localhost:${address.port}`);
});
process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await karlo.dispose();
});
