"""A sharded store, driven over stdin and stdout. A shard that moves has two copies, and writes go to both; documents
are copied one by one, then one shard after the other changes hands. It is run by `python store.py`."""

import json
import sys

owner = []  # shard -> node
copies = []  # shard -> node -> key -> value, None if deleted: one copy, or two while the shard moves
moving = {}  # shard -> the node that it moves to
todo = []  # keys that are still to be copied


def shard_of(key):
    return sum(key.encode()) % len(owner)


def advance():
    went = bool(moving)
    if todo:
        key = todo.pop(0)
        shard = shard_of(key)
        copies[shard][moving[shard]][key] = copies[shard][owner[shard]][key]
    elif moving:
        shard, target = moving.popitem()
        del copies[shard][owner[shard]]
        owner[shard] = target
    return {"went": went, "phase": "copy" if todo else "switch" if moving else "idle"}


def answer(kind, key=None, value=None, node=None, nodes=(), shards=0, **_):
    if kind in ("init", "reset"):
        owner[:], todo[:] = [nodes[0]] * shards, []
        copies[:] = [{nodes[0]: {}} for _ in owner]
        moving.clear()
    elif kind in ("put", "delete"):
        for copy in copies[shard_of(key)].values():
            copy[key] = value
    elif kind == "get":
        return {"value": copies[shard_of(key)][owner[shard_of(key)]].get(key)}
    elif kind == "begin_migration":
        moving.update((shard, node) for shard, now in enumerate(owner) if now != node)
        for shard in moving:
            todo.extend(copies[shard][owner[shard]])
            copies[shard][node] = {}
        return {"phase": "copy"}
    elif kind == "advance":
        return advance()
    else:
        return {"type": "error", "code": 10}  # not supported
    return {}


for line in sys.stdin:
    message = json.loads(line)
    kind, number = message["body"].pop("type"), message["body"]["msg_id"]
    reply = {"type": f"{kind}_ok", "in_reply_to": number, **answer(kind, **message["body"])}
    print(json.dumps({"src": "s", "dest": message["src"], "body": reply}), flush=True)
