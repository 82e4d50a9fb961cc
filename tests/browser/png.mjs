// Makes pictures small: at most 256 colours and one byte per pixel, as PNG.

import { deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
/** Most colours of a palette. */
const colours = 256;

/** The chunks of a PNG: type and content. */
function* chunks(png) {
  for (let at = signature.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    yield [png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length)];
    at += length + 12;
  }
}

/** The pixels of a PNG as browsers write it, 8 bits a channel, as one number each. */
function pixels(png) {
  let width = 0, height = 0, channels = 0;
  const parts = [];
  for (const [type, content] of chunks(png)) {
    if (type === "IHDR") [width, height, channels] = [content.readUInt32BE(0), content.readUInt32BE(4), content[9] === 6 ? 4 : 3];
    if (type === "IDAT") parts.push(content);
  }
  const data = inflateSync(Buffer.concat(parts));
  const line = width * channels;
  let above = Buffer.alloc(line);
  const found = new Uint32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const from = y * (line + 1);
    const [filter, row] = [data[from], data.subarray(from + 1, from + 1 + line)];
    for (let x = 0; x < line; x += 1) {
      const [left, up, corner] = [x < channels ? 0 : row[x - channels], above[x], x < channels ? 0 : above[x - channels]];
      row[x] += [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter];
    }
    for (let x = 0; x < width; x += 1) found[y * width + x] = row.readUIntBE(x * channels, 3);
    above = row;
  }
  return { width, height, found };
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

const distance = (a, b) => [16, 8, 0].reduce((sum, shift) => sum + ((a >> shift & 255) - (b >> shift & 255)) ** 2, 0);

/** The most frequent colours, and then those that are not too close to another. */
function palette(counts) {
  const byCount = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a - b);
  for (let apart = 0; ; apart = apart * 2 + 6) {
    const chosen = byCount.slice(0, colours / 2);
    for (const colour of byCount.slice(colours / 2)) {
      if (chosen.every((other) => distance(colour, other) > apart)) chosen.push(colour);
      if (chosen.length > colours) break;
    }
    if (chosen.length <= colours) return chosen;
  }
}

function chunk(type, content) {
  const whole = Buffer.alloc(content.length + 12);
  whole.writeUInt32BE(content.length);
  whole.write(type, 4, "latin1");
  content.copy(whole, 8);
  let crc = ~0;
  for (const byte of whole.subarray(4, content.length + 8)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  whole.writeUInt32BE(~crc >>> 0, content.length + 8);
  return whole;
}

/** The same picture with a palette. */
export function small(png) {
  const { width, height, found } = pixels(png);
  const counts = new Map();
  for (const colour of found) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const chosen = palette(counts);
  const nearest = new Map([...counts.keys()].map((colour) => [
    colour, chosen.reduce((best, other, at) => (distance(colour, other) < distance(colour, chosen[best]) ? at : best), 0),
  ]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = nearest.get(found[y * width + x]);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(chosen.flatMap((colour) => [colour >> 16, colour >> 8 & 255, colour & 255]));
  return Buffer.concat([
    signature, chunk("IHDR", head), chunk("PLTE", table), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0)),
  ]);
}
