import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { atEnd } from './at-end.js';

/** A connection to a server that ends with the test file at the latest. */
export async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  atEnd(() => socket.destroy());
  // A server that closes the connection while this side still sends.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** What a server sends until it closes the connection. */
export async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  await once(socket, 'close');
  return text;
}

/** Sends text, and returns what comes back until the server closes the connection. */
export async function exchange(url: string, text: string): Promise<string> {
  const socket = await open(url);
  const response = received(socket);
  socket.write(text);
  return response;
}
