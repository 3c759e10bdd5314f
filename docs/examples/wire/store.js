// A sharded store, driven over stdin and stdout. A shard that moves has two copies, and writes go to both; its documents
// are copied one by one, then one shard after the other changes hands. It is run by `node store.js`.
"use strict";

let owner; // shard -> node
let copies; // shard -> node -> key -> value: one copy, or two while the shard moves
let todo; // keys that are still to be copied
let moving; // shards that have not changed hands yet
let target; // where they move to

const shardOf = (key) => Buffer.from(key).reduce((sum, byte) => sum + byte, 0) % owner.length;
const both = (key) => [...copies[shardOf(key)].values()];
const owned = (key) => copies[shardOf(key)].get(owner[shardOf(key)]);

function begin({ nodes, shards }) {
  owner = Array(shards).fill(nodes[0]);
  copies = owner.map((node) => new Map([[node, new Map()]]));
  todo = [];
  moving = [];
}

function migrate({ node }) {
  target = node;
  moving = [...owner.keys()].filter((shard) => owner[shard] !== node);
  todo = moving.flatMap((shard) => [...copies[shard].get(owner[shard]).keys()]);
  for (const shard of moving) copies[shard].set(node, new Map());
  return { phase: "copy" };
}

function advance() {
  const went = moving.length > 0;
  if (todo.length) {
    const key = todo.pop(); // which somebody may have deleted meanwhile
    if (owned(key).has(key)) copies[shardOf(key)].get(target).set(key, owned(key).get(key));
  } else if (went) {
    const shard = moving.pop();
    copies[shard].delete(owner[shard]);
    owner[shard] = target;
  }
  return { went, phase: todo.length ? "copy" : moving.length ? "switch" : "idle" };
}

const answers = {
  init: begin,
  reset: begin,
  put: ({ key, value }) => both(key).forEach((copy) => copy.set(key, value)),
  delete: ({ key }) => both(key).forEach((copy) => copy.delete(key)),
  get: ({ key }) => ({ value: owned(key).get(key) ?? null }),
  begin_migration: migrate,
  advance,
};

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { src, body } = JSON.parse(line);
  const said = body.type in answers ? answers[body.type](body) : { type: "error", code: 10 }; // not supported
  const reply = { type: `${body.type}_ok`, in_reply_to: body.msg_id, ...said };
  process.stdout.write(JSON.stringify({ src: "s", dest: src, body: reply }) + "\n");
});
