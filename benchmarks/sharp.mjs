// Renditions by sharp, one job a line: `node sharp.mjs FOLDER`, with sharp installed in FOLDER.
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const sharp = createRequire(`${process.argv[2]}/package.json`)("sharp");
sharp.concurrency(1);
sharp.cache(false);

const within = (size) => ({ width: size, height: size, fit: "inside", withoutEnlargement: true });
const encoded = (pipeline, job) => pipeline.toFormat(job.format, { quality: job.quality }).toBuffer();

/** One pipeline for each size, as in sharp's documentation. */
async function each(job) {
  const made = [];
  for (const size of job.sizes) made.push(await encoded(sharp(job.source).autoOrient().resize(within(size)), job));
  return made;
}

/** Decodes once; each size is made from the next larger one. */
async function cascade(job) {
  const made = [];
  let larger = sharp(job.source).autoOrient();
  for (const size of job.sizes) {
    const { data, info } = await larger.resize(within(size)).raw().toBuffer({ resolveWithObject: true });
    const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    made.push(await encoded(sharp(data, raw), job));
    larger = sharp(data, raw);
  }
  return made;
}

const work = { each, cascade };

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const before = process.cpuUsage();
  const made = await work[job.kind](job);
  for (const [at, data] of made.entries()) await writeFile(`${job.folder}/${job.sizes[at]}.${job.format}`, data);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_seconds: (user + system) / 1e6 }));
}
